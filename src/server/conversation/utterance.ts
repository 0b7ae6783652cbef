import { MIC_RATE } from '../../protocol/pcm.ts';
import { abortable } from '../async/abortable.ts';
import { Queue } from '../async/queue.ts';
import type { SpeechRecognizer, Transcript } from '../engines/contracts.ts';

const NOTHING: Transcript = { text: '', final: true, understood: true };

/** One stretch of user speech while it is spoken: its samples go in, its transcripts come out. */
export class Utterance {
  readonly #speech = new Queue<Float32Array>();
  #samples = 0;
  #pauseMs = 0;

  /** Length so far, pauses included. */
  get ms(): number {
    return (this.#samples / MIC_RATE) * 1000;
  }

  /** Silence at its end. */
  get pauseMs(): number {
    return this.#pauseMs;
  }

  /** Adds 16 kHz PCM; `pauseMs` of silence lie at its end. */
  add(samples: Float32Array, pauseMs: number): void {
    this.#speech.push(samples);
    this.#samples += samples.length;
    this.#pauseMs = pauseMs;
  }

  /** No more will come; the final transcript follows. */
  end(): void {
    this.#speech.end();
  }

  /** Partial transcripts, then exactly one final one, whatever the recogniser does; none after an abort. */
  async *transcripts(asr: SpeechRecognizer, signal: AbortSignal): AsyncGenerator<Transcript, void, undefined> {
    for await (const transcript of abortable(asr.recognize(this.#speech, signal), signal)) {
      yield transcript;
      if (transcript.final) return;
    }
    if (!signal.aborted) yield NOTHING;
  }
}
