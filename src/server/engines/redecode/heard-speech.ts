import { soundSample } from '../../../protocol/pcm.ts';

const RATE = 16_000;
/** Levels are taken over 20 ms. */
const FRAME = 320;
const SMOOTH = 5;
/** 34 dB below the loudest: quieter than all but the faintest consonants of a clean recording. */
const BELOW_LOUDEST = 0.02;
/** 5 dB above the steady noise of the room. */
const ABOVE_FLOOR = 1.8;
/** 18 dB below the loudest: what is louder counts as said, however loud the room is. */
const NEVER_ABOVE = 0.125;
const SILENCE = 1e-4;

/** An utterance as far as it was heard: its samples (16 kHz, made finite and -1 to 1), and where it is quiet. */
export class HeardSpeech {
  #samples = new Float32Array(8 * RATE);
  #length = 0;
  readonly #levels: number[] = [];
  #loudest = 0;
  #floor = Infinity;

  /** In samples. */
  get length(): number {
    return this.#length;
  }

  /** Adds what was heard next. */
  add(chunk: Float32Array): void {
    if (this.#length + chunk.length > this.#samples.length) {
      const grown = new Float32Array(Math.max(2 * this.#samples.length, this.#length + chunk.length));
      grown.set(this.#samples.subarray(0, this.#length));
      this.#samples = grown;
    }
    this.#samples.set(cleaned(chunk), this.#length);
    this.#length += chunk.length;
    for (let at = this.#levels.length * FRAME; at + FRAME <= this.#length; at += FRAME) this.#measure(at);
  }

  /** A copy of the samples of this stretch. */
  between(from: number, to: number): Float32Array<ArrayBuffer> {
    return this.#samples.slice(from, to);
  }

  /** The sample from which on nothing but quiet was heard; `length` if it is loud at the end. */
  quietFrom(): number {
    const limit = this.#quiet();
    let frame = this.#levels.length;
    while (frame > 0 && this.#levels[frame - 1]! <= limit) frame--;
    return frame === this.#levels.length ? this.#length : frame * FRAME;
  }

  /** The middle of the quietest 200 ms between two samples, where a long utterance is best cut. */
  quietest(from: number, to: number): number {
    const width = 10;
    const last = Math.min(Math.floor(to / FRAME), this.#levels.length) - width;
    let best = Math.ceil(from / FRAME);
    let least = Infinity;
    for (let frame = best; frame <= last; frame++) {
      let sum = 0;
      for (let i = 0; i < width; i++) sum += this.#levels[frame + i]!;
      if (sum < least) [least, best] = [sum, frame];
    }
    return Math.min((best + width / 2) * FRAME, to);
  }

  #quiet(): number {
    const noise = Math.min(this.#floor * ABOVE_FLOOR, this.#loudest * NEVER_ABOVE);
    return Math.max(this.#loudest * BELOW_LOUDEST, noise, SILENCE);
  }

  #measure(at: number): void {
    let sum = 0;
    for (let i = at; i < at + FRAME; i++) sum += this.#samples[i]! ** 2;
    const level = Math.sqrt(sum / FRAME);
    this.#levels.push(level);
    this.#loudest = Math.max(this.#loudest, level);
    if (this.#levels.length < SMOOTH) return;
    const recent = this.#levels.slice(-SMOOTH).reduce((total, one) => total + one, 0) / SMOOTH;
    this.#floor = Math.min(this.#floor, recent);
  }
}

/** The samples with those that are not finite made 0 and the others held to -1 to 1; a copy only where that is needed. */
export function cleaned(chunk: Float32Array): Float32Array {
  if (chunk.every((sample) => sample >= -1 && sample <= 1)) return chunk;
  return chunk.map(soundSample);
}
