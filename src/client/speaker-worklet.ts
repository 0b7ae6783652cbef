import { levelOf } from './level.ts';
import { Playback } from './playback.ts';

/** What the page tells the speaker. */
export type SpeakerCommand =
  | { type: 'speech'; turn: number; position: number; samples: Float32Array }
  | { type: 'end' | 'flush'; turn: number };

/** What the speaker tells the page; `time` is the context's, in seconds. */
export type SpeakerReport =
  | {
      type: 'progress';
      turn: number;
      samples: number;
      time: number;
      level: number;
      underruns: number;
      bufferedMs: number;
      startMs: number;
    }
  | { type: 'ended'; turn: number; samples: number; flushed: boolean; time: number };

/** Seconds between two reports of progress. */
const REPORT_S = 0.04;

class SpeakerProcessor extends AudioWorkletProcessor {
  readonly #playback: Playback;
  #reportAt = 0;
  #reported = { turn: 0, samples: 0 };
  #level = 0;

  constructor(options: { processorOptions: { rate: number } }) {
    super();
    this.#playback = new Playback(options.processorOptions.rate, sampleRate);
    this.port.onmessage = (event: MessageEvent<SpeakerCommand>) => {
      const command = event.data;
      if (command.type === 'speech') this.#playback.push(command.turn, command.position, command.samples);
      else this.#playback[command.type](command.turn);
      this.#postEnds();
    };
  }

  process(_inputs: Float32Array[][], outputs: Float32Array[][]): boolean {
    const [first, ...others] = outputs[0]!;
    if (!first) return true;
    this.#playback.render(first);
    for (const channel of others) channel.set(first);
    this.#level = Math.max(this.#level, levelOf(first));
    this.#postEnds();
    if (currentFrame >= this.#reportAt) this.#postProgress(first.length);
    return true;
  }

  #postEnds(): void {
    for (const { turn, samples, flushed, at } of this.#playback.takeEnds()) {
      this.#post({ type: 'ended', turn, samples, flushed, time: (currentFrame + at) / sampleRate });
    }
  }

  #postProgress(frames: number): void {
    this.#reportAt = currentFrame + REPORT_S * sampleRate;
    const { turn, samples } = this.#playback.position;
    const quiet = this.#level === 0 && turn === this.#reported.turn && samples === this.#reported.samples;
    if (!quiet) {
      const { underruns, bufferedMs, startMs } = this.#playback;
      const time = (currentFrame + frames) / sampleRate;
      this.#post({ type: 'progress', turn, samples, time, level: this.#level, underruns, bufferedMs, startMs });
    }
    this.#reported = { turn, samples };
    this.#level = 0;
  }

  #post(report: SpeakerReport): void {
    this.port.postMessage(report);
  }
}

registerProcessor('speaker', SpeakerProcessor as never);
