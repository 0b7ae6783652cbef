import { Speaker, type SpeakerHandlers } from './speaker.ts';

/** A context that does not run so long after a gesture is held back. */
const BLOCKED_MS = 1_000;
/** How often the clock of a running context is looked at, because some stop without a word. */
const WATCH_MS = 3_000;

type Opening = { readonly rate: number; readonly speaker: Promise<Speaker> };

/** The page's one audio context and the speaker in it; nothing sounds before a user's gesture has called `start`. */
export class Sound {
  readonly #handlers: SpeakerHandlers;
  readonly #onState: (state: AudioContextState | 'interrupted') => void;
  #context: AudioContext | undefined;
  #rate: number | undefined;
  #opening: Opening | undefined;
  #volume = 1;
  #sink = '';

  constructor(handlers: SpeakerHandlers, onState: (state: AudioContextState | 'interrupted') => void) {
    this.#handlers = handlers;
    this.#onState = onState;
  }

  /** The context, if `start` was called. */
  get context(): AudioContext | undefined {
    return this.#context;
  }

  /** Whether a speaker can be chosen here. */
  static get canChooseSpeaker(): boolean {
    return typeof AudioContext !== 'undefined' && 'setSinkId' in AudioContext.prototype;
  }

  /** Makes the context or wakes it; call it within a click or a key press. */
  start(): AudioContext {
    if (navigator.audioSession) navigator.audioSession.type = 'play-and-record';
    if (!this.#context || this.#context.state === 'closed') {
      const context = new AudioContext({ latencyHint: 'interactive' });
      this.#context = context;
      context.onstatechange = () => this.#onState(context.state);
      this.#applySink().catch(() => {});
      this.#openSpeaker();
      this.#watch(context);
    }
    const context = this.#context;
    context.resume().catch(() => {});
    // A context that is held back says nothing: its promise stays open.
    setTimeout(() => this.#onState(context.state), BLOCKED_MS);
    return context;
  }

  /** Throws the context away, for one that has got stuck; `start` makes a new one. */
  async discard(): Promise<void> {
    const context = this.#context;
    this.#context = undefined;
    if (context) context.onstatechange = null;
    const closed = this.#closeSpeaker();
    await context?.close().catch(() => {});
    await closed;
  }

  /** The rate of the server's speech. */
  set rate(rate: number) {
    this.#rate = rate;
    this.#openSpeaker();
  }

  set volume(volume: number) {
    this.#volume = volume;
    this.#with((speaker) => {
      speaker.volume = volume;
    });
  }

  /** Puts the sound out by the device with this id; empty for the system's choice. */
  async choose(deviceId: string): Promise<void> {
    this.#sink = deviceId;
    await this.#applySink();
  }

  play(turn: number, position: number, samples: Float32Array): void {
    this.#with((speaker) => speaker.play(turn, position, samples));
  }

  end(turn: number): void {
    this.#with((speaker) => speaker.end(turn));
  }

  flush(turn?: number): void {
    this.#with((speaker) => speaker.flush(turn));
  }

  /** Forgets all turns, because a new session counts them anew. */
  async reset(): Promise<void> {
    await this.#closeSpeaker();
    this.#openSpeaker();
  }

  async #closeSpeaker(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.speaker.then((speaker) => speaker.close()).catch(() => {});
  }

  #openSpeaker(): void {
    const context = this.#context;
    const rate = this.#rate;
    if (!context || !rate || this.#opening?.rate === rate) return;
    const old = this.#opening;
    old?.speaker.then((speaker) => speaker.close()).catch(() => {});
    const speaker = Speaker.open(context, rate, this.#handlers);
    this.#opening = { rate, speaker };
    this.volume = this.#volume;
  }

  #watch(context: AudioContext): void {
    let last = -1;
    const timer = setInterval(() => {
      if (context !== this.#context) return clearInterval(timer);
      const stuck = context.state === 'running' && context.currentTime === last && !document.hidden;
      last = context.currentTime;
      if (stuck) this.#onState('interrupted');
    }, WATCH_MS);
  }

  /** In order, also while the speaker is still opening. */
  #with(use: (speaker: Speaker) => void): void {
    this.#opening?.speaker.then(use).catch(() => {});
  }

  async #applySink(): Promise<void> {
    const context = this.#context as (AudioContext & { setSinkId?(id: string): Promise<void> }) | undefined;
    await context?.setSinkId?.(this.#sink);
  }
}

declare global {
  interface Navigator {
    /** Safari's way to say that a page both plays and records. */
    readonly audioSession?: { type: string };
  }
}
