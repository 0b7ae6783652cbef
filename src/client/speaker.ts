import type { ClientMessage } from '../protocol/messages.ts';
import type { SoundReport } from './heard-clock.ts';
import { HeardSamples } from './heard-samples.ts';
import type { SpeakerCommand, SpeakerReport } from './speaker-worklet.ts';

/** How playback is doing. */
export type SpeakerHealth = { underruns: number; bufferedMs: number; startMs: number; latencyMs: number };

/** What the page does with the speaker's reports. */
export type SpeakerHandlers = {
  /** A `played` message that is due to the server. */
  onPlayed(message: Extract<ClientMessage, { type: 'played' }>): void;
  /** About 25 times a second while sound is put out: samples of the turn that were heard, level 0 to 1. */
  onProgress(turn: number, heard: number, level: number, health: SpeakerHealth): void;
  /** As often: which sample leaves the loudspeaker when, as exactly as it is known. */
  onSound(report: SoundReport): void;
  /** A flushed turn is silent, so many milliseconds after it was to be. */
  onSilent(turn: number, afterMs: number): void;
};

/** Plays the server's speech in an AudioWorklet and knows how much of it was heard. */
export class Speaker {
  readonly rate: number;
  readonly #context: AudioContext;
  readonly #node: AudioWorkletNode;
  readonly #gain: GainNode;
  readonly #heard: HeardSamples;
  readonly #handlers: SpeakerHandlers;
  readonly #flushedAt = new Map<number, number>();
  #newestTurn = 0;
  #health: SpeakerHealth = { underruns: 0, bufferedMs: 0, startMs: 0, latencyMs: 0 };

  private constructor(context: AudioContext, rate: number, handlers: SpeakerHandlers) {
    this.rate = rate;
    this.#context = context;
    this.#handlers = handlers;
    this.#heard = new HeardSamples(rate);
    this.#gain = new GainNode(context);
    this.#node = new AudioWorkletNode(context, 'speaker', {
      numberOfInputs: 0,
      outputChannelCount: [2],
      processorOptions: { rate },
    });
    this.#node.port.onmessage = (event: MessageEvent<SpeakerReport>) => this.#take(event.data);
    this.#node.connect(this.#gain).connect(context.destination);
  }

  /** Makes a speaker for speech of `rate` samples per second. */
  static async open(context: AudioContext, rate: number, handlers: SpeakerHandlers): Promise<Speaker> {
    await context.audioWorklet.addModule('speaker-worklet.js');
    return new Speaker(context, rate, handlers);
  }

  /** From 0 to 1. */
  set volume(volume: number) {
    // The ear hears in proportion, so the middle of the slider should not sound nearly as loud as its end.
    this.#gain.gain.setTargetAtTime(volume ** 2, this.#context.currentTime, 0.015);
  }

  play(turn: number, position: number, samples: Float32Array): void {
    this.#newestTurn = Math.max(this.#newestTurn, turn);
    this.#send({ type: 'speech', turn, position, samples }, [samples.buffer]);
  }

  /** All speech of the turn has been given. */
  end(turn: number): void {
    this.#newestTurn = Math.max(this.#newestTurn, turn);
    this.#send({ type: 'end', turn });
  }

  /** Silences the turn (the newest one if left out) and those before it within 5 ms. */
  flush(turn = this.#newestTurn): void {
    if (turn === 0) return;
    const mark = performance.mark('voice-chat:flush', { detail: { turn } });
    if (!this.#flushedAt.has(turn)) this.#flushedAt.set(turn, mark.startTime);
    this.#send({ type: 'flush', turn });
  }

  close(): void {
    this.#node.port.onmessage = null;
    this.#node.disconnect();
    this.#gain.disconnect();
  }

  #send(command: SpeakerCommand, transfer: Transferable[] = []): void {
    this.#node.port.postMessage(command, transfer);
  }

  #take(report: SpeakerReport): void {
    const { turn, samples } = report;
    const latencyMs = this.#latencyMs();
    if (report.type === 'progress') {
      const message = this.#heard.progress(turn, samples, latencyMs, performance.now());
      if (message) this.#handlers.onPlayed(message);
      const { level, underruns, bufferedMs, startMs } = report;
      this.#health = { underruns, bufferedMs, startMs, latencyMs };
      this.#handlers.onSound({ turn, samples, atMs: this.#timeOf(report.time, performance.now()), bufferedMs });
      this.#handlers.onProgress(turn, this.#heard.of(turn), level, this.#health);
      return;
    }
    this.#markSilent(report);
    const finish = () => {
      this.#handlers.onPlayed(this.#heard.final(turn, samples));
      this.#handlers.onProgress(turn, samples, 0, this.#health);
    };
    // What the device still holds will be heard; a turn that ran to its end is over only then.
    if (report.flushed) finish();
    else setTimeout(finish, latencyMs);
  }

  #markSilent({ turn, time, flushed }: Extract<SpeakerReport, { type: 'ended' }>): void {
    const since = this.#flushedAt.get(turn);
    this.#flushedAt.delete(turn);
    const known = performance.now();
    // When it is silent at the device; it was silent at the worklet's output by `known` at the latest.
    const startTime = Math.max(this.#timeOf(time, known), since ?? 0);
    performance.mark('voice-chat:silent', { startTime, detail: { turn, known } });
    if (flushed && since !== undefined) this.#handlers.onSilent(turn, startTime - since);
  }

  /** The page's time at which the sample of this context time leaves the device. */
  #timeOf(contextTime: number, now: number): number {
    const at = this.#context.getOutputTimestamp?.();
    if (!at?.performanceTime || !at.contextTime) return now + this.#latencyMs();
    return at.performanceTime + (contextTime - at.contextTime) * 1000;
  }

  #latencyMs(): number {
    return ((this.#context.baseLatency || 0) + (this.#context.outputLatency || 0)) * 1000;
  }
}
