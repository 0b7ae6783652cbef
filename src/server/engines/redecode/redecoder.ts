import { abortable } from '../../async/abortable.ts';
import { Queue } from '../../async/queue.ts';
import type { Transcript } from '../contracts.ts';
import { HeardSpeech } from './heard-speech.ts';
import { joinedText } from './joined-text.ts';
import { OneAtATime } from './one-at-a-time.ts';

export type RedecoderOptions = {
  /** The words in `samples` (16 kHz mono, -1 to 1); called once at a time. */
  readonly decode: (samples: Float32Array<ArrayBuffer>) => Promise<string>;
  /** The longest stretch that may be decoded at once; longer utterances are cut where they are quiet. */
  readonly maxSeconds: number;
  /** The time in milliseconds, by which decodes are timed; that of the process if not given. */
  readonly now?: () => number;
};

const RATE = 16_000;
const ms = (samples: number) => (samples / RATE) * 1000;
/** No word is shorter than 100 ms, and networks fail on next to nothing. */
const SHORTEST = RATE / 10;
const FIRST_MS = 480;
const LEAST_MS = 320;
/** Decoding for partial texts may take a third of the time. */
const PATIENCE = 3;
/** Slower than this, partial texts would only keep the final one waiting. */
const SLOWEST_PARTIAL_MS = 700;
/** A pause this long may be the end: what was said is decoded at once, and if it was the end, the final text is there. */
const PAUSE_MS = 160;
const SLOWEST_GUESS_MS = 400;
const SLOW_START_MS = 3_000;
/** What must have been quiet before a decode for its text to be final. */
const SETTLED_MS = 100;
/** Of a stretch that is too long, the first half is never cut: short pieces lose what belongs together. */
const CUT_AFTER = 0.5;

/** Makes partial transcripts with a recogniser that knows whole utterances only, by decoding again as the utterance grows. */
export class Redecoder {
  readonly #options: RedecoderOptions;
  readonly #turns = new OneAtATime();
  #lastMs = 0;

  constructor(options: RedecoderOptions) {
    this.#options = options;
  }

  /** Decodes a second of next to nothing, so that the first utterance is decoded as fast as the others, and how fast is known. */
  async warmUp(): Promise<void> {
    const samples = Float32Array.from({ length: RATE }, (_, i) => 1e-3 * Math.sin(i * i));
    const never = new AbortController().signal;
    await this.#decode(samples, true, never);
    // The first is slower than the others, but where it took seconds that is known well enough.
    if (this.#lastMs < SLOW_START_MS) await this.#decode(samples, true, never);
  }

  /** Resolves when what is being decoded now is done, also what an abort left behind. */
  async idle(): Promise<void> {
    await this.#turns.run(async () => {}, true, new AbortController().signal);
  }

  /** Partial transcripts of `speech`, then one final one; an empty final text means that there were no words in it. */
  async *recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<Transcript> {
    const left = new AbortController();
    const stop = AbortSignal.any([signal, left.signal]);
    const transcripts = new Queue<Transcript>();
    this.#listen(speech, transcripts, stop).then(
      () => transcripts.end(),
      (error) => transcripts.fail(error),
    );
    try {
      yield* abortable(transcripts, signal);
    } finally {
      left.abort();
    }
  }

  async #listen(speech: AsyncIterable<Float32Array>, out: Queue<Transcript>, signal: AbortSignal): Promise<void> {
    const heard = new HeardSpeech();
    const maxSamples = this.#options.maxSeconds * RATE;
    let settled = '';
    let start = 0;
    let asked = 0;
    let shown = '';
    let latest: { readonly text: string; readonly upTo: number } | undefined;
    let decoding: Promise<void> | undefined;
    const decodeSoFar = async (urgent: boolean) => {
      const upTo = heard.length;
      asked = upTo;
      const text = await this.#decode(heard.between(start, upTo), urgent, signal);
      latest = { text, upTo };
      const whole = joinedText(settled, text);
      if (whole && whole !== shown) out.push({ text: (shown = whole), final: false, understood: true });
    };
    for await (const chunk of abortable(speech, signal)) {
      heard.add(chunk);
      while (heard.length - start > maxSamples) {
        await decoding;
        const cut = heard.quietest(start + CUT_AFTER * maxSamples, start + maxSamples);
        settled = joinedText(settled, await this.#decode(heard.between(start, cut), false, signal));
        [start, asked, latest] = [cut, cut, undefined];
        if (signal.aborted) return;
      }
      if (decoding) continue;
      const next = this.#next(heard, asked, asked === start);
      if (next === 'wait') continue;
      decoding = decodeSoFar(next === 'maybe the end');
      // Awaited below; an error must not count as unhandled until then.
      decoding.then(
        () => (decoding = undefined),
        () => {},
      );
    }
    await decoding;
    if (signal.aborted) return;
    const quietFrom = heard.quietFrom();
    const said = latest && quietFrom <= latest.upTo - (SETTLED_MS * RATE) / 1000;
    const rest = said ? latest!.text : await this.#decode(heard.between(start, heard.length), true, signal);
    if (!signal.aborted) out.push({ text: joinedText(settled, rest), final: true, understood: true });
  }

  /** Whether it is time to decode what was heard so far; `asked` is how far the last decode went. */
  #next(heard: HeardSpeech, asked: number, first: boolean): 'wait' | 'more was said' | 'maybe the end' {
    const quietFrom = heard.quietFrom();
    if (quietFrom <= Math.max(0, asked - (SETTLED_MS * RATE) / 1000)) return 'wait';
    const pauseMs = ms(heard.length - quietFrom);
    if (pauseMs >= PAUSE_MS && this.#lastMs <= SLOWEST_GUESS_MS) return 'maybe the end';
    const patience = Math.max(first ? FIRST_MS : LEAST_MS, PATIENCE * this.#lastMs);
    return this.#lastMs <= SLOWEST_PARTIAL_MS && ms(heard.length - asked) >= patience ? 'more was said' : 'wait';
  }

  async #decode(samples: Float32Array<ArrayBuffer>, urgent: boolean, signal: AbortSignal): Promise<string> {
    if (samples.length < SHORTEST) return '';
    const { decode, now = () => performance.now() } = this.#options;
    const began = now();
    const text = await this.#turns.run(() => decode(samples), urgent, signal);
    // The wait for others counts: where many speak at once, partial texts become rarer.
    if (text !== undefined) this.#lastMs = now() - began;
    return text ?? '';
  }
}
