import { Resampler } from '../../../../../protocol/resampler.ts';
import { VIDEO_FPS } from '../../../contracts.ts';
import { type MuseTalkNetworks, SEGMENT_SECONDS, SPEECH_RATE, STATES, TOKENS_PER_SECOND } from '../networks.ts';
import { LogMel } from './log-mel.ts';
import { frameStates, readyFrames, TOKEN_SAMPLES, tokensOf } from './windows.ts';

/** Tokens of one segment. */
const SEGMENT_TOKENS = SEGMENT_SECONDS * TOKENS_PER_SECOND;
/** So many tokens are asked for at most, beyond those that must be: two seconds of those that the next frames need. */
const AHEAD = 2 * TOKENS_PER_SECOND;

/** States [to - from, 5, width] of a segment's tokens, made when `length` of its samples had been heard. */
type Encoded = { readonly length: number; readonly from: number; readonly to: number; readonly states: Float32Array };
type Segment = { readonly mel: LogMel; encoded?: Encoded };

/**
 * What whisper hears in a reply's speech (mono, -1 to 1, `rate` samples per second) as it comes. Segments of 30 s are heard apart
 * from each other; of the last one so far, all that was said in it is heard anew for frames that are asked for after more was
 * said, so that each is made from the best that is known.
 */
export class SpeechStates {
  readonly #networks: Pick<MuseTalkNetworks, 'speech' | 'width'>;
  readonly #rate: number;
  readonly #resampler: Resampler;
  readonly #segments: (Segment | undefined)[] = [];
  #given = 0;
  #heard = 0;
  #ended = false;

  constructor(networks: Pick<MuseTalkNetworks, 'speech' | 'width'>, rate: number) {
    this.#networks = networks;
    this.#rate = rate;
    this.#resampler = new Resampler(rate, SPEECH_RATE);
  }

  /** How many frames, from the first on, can be asked for: what they hear has been said, or the speech is over. */
  get ready(): number {
    const frames = (this.#given * VIDEO_FPS) / this.#rate;
    return this.#ended ? Math.ceil(frames) : Math.min(Math.floor(frames), readyFrames(this.#heard));
  }

  get ended(): boolean {
    return this.#ended;
  }

  write(samples: Float32Array): void {
    this.#given += samples.length;
    this.#resampler.write(samples);
    this.#hear();
  }

  /** The speech is over. */
  end(): void {
    this.#resampler.end();
    this.#hear();
    this.#ended = true;
  }

  /**
   * What the `count` frames from `first` on hear, [count, 50, width]; they must be ready. Frames are asked for in order, one call
   * after the other: what is before them is forgotten.
   */
  async frames(first: number, count: number, signal: AbortSignal): Promise<Float32Array> {
    const tokens = Math.floor(this.#heard / TOKEN_SAMPLES);
    const from = Math.max(0, tokensOf(first).from);
    const to = Math.min(tokens, tokensOf(first + count - 1).to);
    const width = STATES * this.#networks.width;
    const states = new Float32Array(Math.max(0, to - from) * width);
    for (let at = from; at < to; ) {
      const segment = Math.floor(at / SEGMENT_TOKENS);
      const begin = segment * SEGMENT_TOKENS;
      const end = Math.min(to, begin + SEGMENT_TOKENS);
      const encoded = await this.#encoded(this.#segments[segment]!, at - begin, end - begin, signal);
      const known = encoded.states.subarray((at - begin - encoded.from) * width, (end - begin - encoded.from) * width);
      states.set(known, (at - from) * width);
      at = end;
    }
    for (let i = Math.floor(from / SEGMENT_TOKENS) - 1; i >= 0 && this.#segments[i]; i--) this.#segments[i] = undefined;
    return frameStates(states, from, first, count, this.#networks.width);
  }

  /** The segment's states of at least the tokens `from` to `to` - 1, as of all that was said in it. */
  async #encoded(segment: Segment, from: number, to: number, signal: AbortSignal): Promise<Encoded> {
    const { mel, encoded } = segment;
    const { length } = mel;
    if (encoded && encoded.length === length && encoded.from <= from && to <= encoded.to) return encoded;
    const last = Math.max(to, Math.min(from + AHEAD, Math.floor(length / TOKEN_SAMPLES)));
    const states = await this.#networks.speech(mel.mel(), from, last, signal);
    segment.encoded = { length, from, to: last, states };
    return segment.encoded;
  }

  #hear(): void {
    const samples = new Float32Array(this.#resampler.available());
    this.#resampler.read(samples);
    for (let at = 0; at < samples.length; ) {
      const segment = this.#segments.at(-1);
      const written = segment?.mel.write(samples.subarray(at)) ?? 0;
      if (written === 0) this.#segments.push({ mel: new LogMel() });
      at += written;
    }
    this.#heard += samples.length;
  }
}
