import type { MicMode } from '../../protocol/messages.ts';
import { joinedSamples, MIC_FRAME, MIC_RATE } from '../../protocol/pcm.ts';
import { Queue } from '../async/queue.ts';
import type { VoiceDetector } from '../engines/contracts.ts';

/** How frames of the microphone become speech. */
export type ListenSettings = {
  /** Probability from which a frame counts as speech, and the lower one below which speech pauses. */
  readonly speechThreshold: number;
  readonly pauseThreshold: number;
  /** Speech needed, from the onset on, to believe it; frames that are nearly certain count twice. */
  readonly confirmMs: number;
  /** Audio from before the onset that belongs to the utterance. */
  readonly preRollMs: number;
};

/** What the listener makes out, in order. Samples are 16 kHz; times are counted in samples, not by a clock. */
export type Sound =
  | { type: 'onset' }
  | { type: 'false_onset' }
  /** Speech for certain; `samples` reach back to before its onset. */
  | { type: 'confirmed'; samples: Float32Array }
  /** More of the utterance; `pauseMs` of silence lie at its end. */
  | { type: 'speech'; samples: Float32Array; pauseMs: number; held: boolean }
  /** The talk button was let go, or the microphone was muted. */
  | { type: 'released' }
  | { type: 'failed'; error: unknown };

type State =
  | { is: 'silence' }
  | { is: 'onset'; frames: number; voicedMs: number; quiet: number }
  | { is: 'speech'; pauseMs: number };
type Waiting = { samples: Float32Array; held: boolean } | 'released';

const FRAME_MS = (MIC_FRAME / MIC_RATE) * 1000;
/** With one frame so likely, two took noise for speech as seldom as three that are in doubt, and are there sooner. */
const NEARLY_CERTAIN = 0.9;
/** Silent frames after which an onset was only a noise. */
const FALSE_ONSET_FRAMES = 3;
/** Frames that may wait for a detector that is slow or being replaced (8 s); older ones are dropped. */
const MAX_WAITING = 250;

/** One microphone: takes PCM, asks the voice detector, tells what it hears as `sounds`. */
export class Listener {
  readonly sounds = new Queue<Sound>();
  readonly #vad: VoiceDetector;
  readonly #settings: ListenSettings;
  readonly #signal: AbortSignal;
  #dropped = 0;
  #mode: MicMode = 'open';
  #state: State = { is: 'silence' };
  #recent: Float32Array[] = [];
  #rest = new Float32Array(0);
  #waiting: Waiting[] = [];
  #frames: Queue<Float32Array> | undefined;
  /** It was told that the detector fails; once is enough until it works again. */
  #failing = false;

  constructor(vad: VoiceDetector, settings: ListenSettings, signal: AbortSignal) {
    this.#vad = vad;
    this.#settings = settings;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.sounds.end(), { once: true });
    signal.addEventListener('abort', () => this.#frames?.end(), { once: true });
  }

  /** Frames that the voice detector still owes an answer for, and frames that it never got because too many waited. */
  get backlog(): { waiting: number; dropped: number } {
    return { waiting: this.#waiting.length, dropped: this.#dropped };
  }

  /** Takes the next PCM of the microphone, any length. */
  hear(samples: Float32Array): void {
    if (this.#mode === 'off' || this.#signal.aborted) return;
    const heard = joinedSamples([this.#rest, samples]);
    let at = 0;
    for (; at + MIC_FRAME <= heard.length; at += MIC_FRAME) this.#frame(heard.slice(at, at + MIC_FRAME));
    this.#rest = heard.slice(at);
  }

  /** Changes how the microphone is used; leaving `held`, or muting, ends the utterance. */
  setMode(mode: MicMode): void {
    const releases = mode === 'off' || (this.#mode === 'held' && mode !== 'held');
    this.#mode = mode;
    if (!releases) return;
    this.#rest = new Float32Array(0);
    this.#waiting.push('released');
    this.#takeReleases();
  }

  /** The utterance is over: what comes next is a new one. */
  endUtterance(): void {
    this.#state = { is: 'silence' };
    this.#recent = [];
  }

  #frame(samples: Float32Array): void {
    if (this.#waiting.length >= MAX_WAITING) {
      this.#waiting.shift();
      this.#dropped++;
      // A release that is now the first must not be the next to be dropped.
      this.#takeReleases();
    }
    this.#waiting.push({ samples, held: this.#mode === 'held' });
    if (!this.#frames) void this.#detect();
    this.#frames?.push(samples);
  }

  async #detect(): Promise<void> {
    const frames = new Queue<Float32Array>();
    this.#frames = frames;
    try {
      for await (const probability of this.#vad.detect(frames, this.#signal)) {
        this.#failing = false;
        const waiting = this.#waiting.shift();
        if (waiting && waiting !== 'released') this.#step(waiting.samples, waiting.held, probability);
        this.#takeReleases();
      }
    } catch (error) {
      if (!this.#signal.aborted && !this.#failing) this.sounds.push({ type: 'failed', error });
      this.#failing = true;
    }
    // The next frame asks again, by then perhaps a new process.
    this.#frames = undefined;
    this.#waiting = this.#waiting.filter((item) => item === 'released');
    this.#takeReleases();
  }

  #takeReleases(): void {
    while (this.#waiting[0] === 'released') {
      this.#waiting.shift();
      this.sounds.push({ type: 'released' });
    }
  }

  #step(samples: Float32Array, held: boolean, probability: number): void {
    const { speechThreshold, pauseThreshold, confirmMs } = this.#settings;
    const state = this.#state;
    const voiced = held || probability >= (state.is === 'speech' ? pauseThreshold : speechThreshold);
    if (state.is === 'speech') {
      state.pauseMs = voiced ? 0 : state.pauseMs + FRAME_MS;
      this.sounds.push({ type: 'speech', samples, pauseMs: state.pauseMs, held });
      return;
    }
    this.#remember(samples, state.is === 'onset' ? state.frames : 0);
    const ms = voiced ? FRAME_MS * (probability >= NEARLY_CERTAIN ? 2 : 1) : 0;
    if (state.is === 'silence') {
      if (!voiced) return;
      this.sounds.push({ type: 'onset' });
      this.#state = { is: 'onset', frames: 1, voicedMs: ms, quiet: 0 };
    } else {
      state.frames++;
      state.voicedMs += ms;
      state.quiet = voiced ? 0 : state.quiet + 1;
      if (state.quiet >= FALSE_ONSET_FRAMES) {
        this.#state = { is: 'silence' };
        this.sounds.push({ type: 'false_onset' });
      }
    }
    if (this.#state.is === 'onset' && (held || this.#state.voicedMs >= confirmMs)) {
      this.#state = { is: 'speech', pauseMs: 0 };
      this.sounds.push({ type: 'confirmed', samples: joinedSamples(this.#recent) });
      this.#recent = [];
    }
  }

  /** Keeps the frames of the onset, and before them as many as the pre-roll has. */
  #remember(samples: Float32Array, sinceOnset: number): void {
    this.#recent.push(samples);
    const keep = Math.ceil(this.#settings.preRollMs / FRAME_MS) + sinceOnset + 1;
    while (this.#recent.length > keep) this.#recent.shift();
  }
}
