import { abortable } from '../../async/abortable.ts';
import type { Transcript } from '../contracts.ts';
import { cleaned } from '../redecode/heard-speech.ts';
import type { OnlineRecognizer, OnlineStream } from './asr-addon.ts';

const RATE = 16_000;
/** Samples given at once, so that an abort, or another utterance, waits for one chunk of the network at most. */
const STEP = RATE / 10;

/** Recognises with a network that takes speech chunk by chunk as it comes. */
export class Streaming {
  readonly #recognizer: OnlineRecognizer;
  readonly #shown: (text: string) => string;
  /** How much silence must follow the last word for the network to write it. */
  readonly #tail: number;

  /** `shown` turns what the network writes into the text of a transcript. */
  constructor(recognizer: OnlineRecognizer, shown: (text: string) => string) {
    this.#recognizer = recognizer;
    this.#shown = shown;
    this.#tail = this.#measureTail();
  }

  /** Partial transcripts of `speech` (16 kHz), then one final one; an empty final text means that there were no words. */
  async *recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<Transcript> {
    if (signal.aborted) return;
    const stream = this.#recognizer.createStream();
    let text = '';
    for await (const chunk of abortable(speech, signal)) {
      const samples = cleaned(chunk);
      for (let at = 0; at < samples.length; at += STEP) {
        if (!(await this.#hear(stream, samples.slice(at, at + STEP), signal))) return;
        const partial = this.#text(stream);
        if (partial && partial !== text) yield { text: (text = partial), final: false, understood: true };
      }
    }
    if (signal.aborted || !(await this.#hear(stream, new Float32Array(this.#tail), signal))) return;
    yield { text: this.#text(stream), final: true, understood: true };
  }

  /** Gives the network its next samples; false when `signal` aborted meanwhile. */
  async #hear(stream: OnlineStream, samples: Float32Array, signal: AbortSignal): Promise<boolean> {
    stream.acceptWaveform({ samples, sampleRate: RATE });
    while (this.#recognizer.isReady(stream)) {
      this.#recognizer.decode(stream);
      await new Promise(setImmediate);
      if (signal.aborted) return false;
    }
    return !signal.aborted;
  }

  #text(stream: OnlineStream): string {
    return this.#shown(this.#recognizer.getResult(stream).text);
  }

  /**
   * The network sees a window of frames at a time and moves on by a part of it; both are asked of the network itself by feeding
   * silence: the silence that first fills a window, and one move more, because a word may be written a little after it was said.
   */
  #measureTail(): number {
    const stream = this.#recognizer.createStream();
    const longest = 10 * RATE;
    const moves: number[] = [];
    for (let heard = 0; heard < longest && moves.length < 2; heard += RATE / 100) {
      stream.acceptWaveform({ samples: new Float32Array(RATE / 100), sampleRate: RATE });
      if (!this.#recognizer.isReady(stream)) continue;
      this.#recognizer.decode(stream);
      moves.push(heard);
    }
    const [window = RATE, next = 2 * window] = moves;
    return next + RATE / 100;
  }
}
