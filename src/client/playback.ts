import { Resampler } from '../protocol/resampler.ts';

const FADE_MS = 5;
const START_MS = 70;
const MAX_START_MS = 160;
const GROW_MS = 15;
const SHRINK_MS = 5;
/** Sound without an underrun after which the buffer may shrink by one step. */
const CALM_MS = 10_000;

/** The end of a turn's sound. */
export type PlaybackEnd = {
  readonly turn: number;
  /** Samples of the turn's speech that were put out, at the speech's rate. */
  readonly samples: number;
  readonly flushed: boolean;
  /** The first silent output sample, counted from the start of the last `render`; 0 when it was silent already. */
  readonly at: number;
};

/** An unbroken run of one turn's speech. */
type Segment = {
  readonly turn: number;
  /** Where in the turn's speech it begins, in samples. */
  readonly start: number;
  readonly resampler: Resampler;
  chunks: Float32Array[];
  /** Samples received, and those of them not yet with the resampler. */
  received: number;
  waiting: number;
  ended: boolean;
  flushed: boolean;
  drained: boolean;
  /** Outputs it may still make. */
  limit: number;
};

/**
 * Plays the speech of one turn after another: a jitter buffer, conversion from the speech's rate to the output's,
 * fades of 5 ms wherever sound begins or stops, and the exact count of speech samples put out per turn.
 */
export class Playback {
  readonly #rate: number;
  readonly #outputRate: number;
  readonly #fade: number;
  readonly #queue: Segment[] = [];
  #ends: PlaybackEnd[] = [];
  /** Turns up to this one take no more speech. */
  #closed = 0;
  #last = { turn: 0, samples: 0 };
  #playing = false;
  /** The gain in steps of `1 / fade`, so that a fade has an exact length. */
  #gain = 0;
  #startMs = START_MS;
  #calm = 0;
  #underruns = 0;

  constructor(rate: number, outputRate: number) {
    this.#rate = rate;
    this.#outputRate = outputRate;
    this.#fade = Math.round((FADE_MS / 1000) * outputRate);
  }

  /** How often sound ran out in the middle of a turn. */
  get underruns(): number {
    return this.#underruns;
  }

  /** How much sound is gathered before it starts. */
  get startMs(): number {
    return this.#startMs;
  }

  /** How much sound waits to be put out. */
  get bufferedMs(): number {
    return (this.#queue.reduce((sum, segment) => sum + remaining(segment), 0) / this.#outputRate) * 1000;
  }

  /** The turn that sounded last and how many samples of it were put out; turn 0 before the first. */
  get position(): { readonly turn: number; readonly samples: number } {
    return this.#last;
  }

  /** Adds speech that begins at `position` samples of its turn; what is stale or already there is dropped. */
  push(turn: number, position: number, samples: Float32Array): void {
    const last = this.#queue.at(-1);
    if (turn <= this.#closed || (last && turn < last.turn)) return;
    let segment = last?.turn === turn ? last : undefined;
    const expected = segment ? segment.start + segment.received : position;
    const known = Math.max(0, expected - position);
    if (known >= samples.length) return;
    if (segment && position > expected) segment = undefined;
    segment ??= this.#open(turn, position + known);
    segment.chunks.push(samples.subarray(known));
    segment.received += samples.length - known;
    segment.waiting += samples.length - known;
  }

  /** Says that all of a turn's speech has been pushed. */
  end(turn: number): void {
    if (turn <= this.#closed) return;
    const last = this.#queue.at(-1);
    const segment = last?.turn === turn ? last : this.#open(turn, 0);
    segment.ended = true;
    this.#closed = turn;
    this.#closeFinished(0);
  }

  /** Silences this turn and all before it: fades out at once and drops the rest, and what still arrives of them. */
  flush(turn: number): void {
    const flushed = this.#queue.filter((segment) => segment.turn <= turn);
    if (turn > this.#closed && flushed.at(-1)?.turn !== turn) {
      const later = this.#queue.splice(flushed.length);
      flushed.push(this.#open(turn, 0));
      this.#queue.push(...later);
    }
    this.#closed = Math.max(this.#closed, turn);
    for (const segment of flushed) {
      const sounding = this.#playing && segment === this.#queue[0];
      segment.limit = sounding ? Math.min(remaining(segment), this.#gain) : 0;
      segment.ended = true;
      segment.flushed = true;
    }
    this.#closeFinished(0);
  }

  /** Fills `out` with the next samples at the output's rate. */
  render(out: Float32Array): void {
    let at = 0;
    while (at < out.length) {
      const segment = this.#queue[0];
      if (!segment || !(this.#playing || this.#ready(segment))) break;
      this.#playing = true;
      const left = remaining(segment);
      if (left === 0) {
        this.#runDry();
        break;
      }
      const count = Math.min(left, out.length - at);
      feed(segment, count);
      segment.resampler.read(out, at, count);
      segment.limit -= count;
      for (let i = 0; i < count; i++) {
        this.#gain = Math.min(this.#gain + 1, this.#fade, left - i);
        out[at + i] = out[at + i]! * (this.#gain / this.#fade);
      }
      at += count;
      this.#last = { turn: segment.turn, samples: played(segment) };
      this.#stayCalm(count);
      this.#closeFinished(at);
    }
    out.fill(0, at);
  }

  /** The turns that have ended since the last call, in order. */
  takeEnds(): PlaybackEnd[] {
    const ends = this.#ends;
    this.#ends = [];
    return ends;
  }

  #open(turn: number, start: number): Segment {
    const before = this.#queue.at(-1);
    // Speech comes in order: a newer turn, or a gap, means that nothing more follows before it.
    if (before) before.ended = true;
    const segment: Segment = {
      turn,
      start,
      resampler: new Resampler(this.#rate, this.#outputRate),
      chunks: [],
      received: 0,
      waiting: 0,
      ended: false,
      flushed: false,
      drained: false,
      limit: Number.POSITIVE_INFINITY,
    };
    this.#queue.push(segment);
    this.#closed = Math.max(this.#closed, turn - 1);
    return segment;
  }

  #ready(segment: Segment): boolean {
    return segment.ended || remaining(segment) >= (this.#startMs / 1000) * this.#outputRate;
  }

  #runDry(): void {
    this.#playing = false;
    this.#gain = 0;
    this.#underruns++;
    this.#calm = 0;
    this.#startMs = Math.min(MAX_START_MS, this.#startMs + GROW_MS);
  }

  #stayCalm(outputs: number): void {
    this.#calm += outputs;
    if (this.#calm < (CALM_MS / 1000) * this.#outputRate) return;
    this.#calm = 0;
    this.#startMs = Math.max(START_MS, this.#startMs - SHRINK_MS);
  }

  #closeFinished(at: number): void {
    for (let head = this.#queue[0]; head?.ended && remaining(head) === 0; head = this.#queue[0]) {
      this.#queue.shift();
      this.#playing = false;
      this.#gain = 0;
      if (this.#queue[0]?.turn === head.turn) continue;
      const samples = this.#last.turn === head.turn ? this.#last.samples : 0;
      this.#ends.push({ turn: head.turn, samples, flushed: head.flushed, at });
    }
  }
}

function remaining(segment: Segment): number {
  const { resampler, waiting, ended, drained } = segment;
  const outputs = ended && !drained ? resampler.availableAtEnd(waiting) : resampler.available(waiting);
  return Math.min(outputs, segment.limit);
}

function feed(segment: Segment, outputs: number): void {
  while (segment.resampler.available() < outputs) {
    const chunk = segment.chunks.shift();
    if (!chunk) {
      segment.resampler.end();
      segment.drained = true;
      return;
    }
    segment.resampler.write(chunk);
    segment.waiting -= chunk.length;
  }
}

function played(segment: Segment): number {
  return segment.start + Math.min(segment.received, segment.resampler.consumed);
}
