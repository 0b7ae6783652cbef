import type { ReplyWord } from '../../../protocol/messages.ts';

export type ToneSettings = {
  /** Samples per second. */
  readonly rate: number;
  /** The first word's pitch in Hz. */
  readonly pitch: number;
  /** 1 is normal, 2 is twice as fast. */
  readonly speed: number;
};

/** Words of a phrase have so many pitches before they begin again. */
export const PITCHES = 16;
const WORD_MS = 60;
const LETTER_MS = 40;
const GAP_MS = 20;
const EDGE_MS = 4;

/** The pitch in Hz of the word at `index` of its phrase: sixteen even steps from `pitch` up to its octave. */
export function pitchOf(index: number, pitch: number): number {
  return pitch * (1 + (index % PITCHES) / PITCHES);
}

/** A phrase as tones, one per word and as long as the word has letters, with silence between; positions in samples. */
export function tones(
  phrase: string,
  { rate, pitch, speed }: ToneSettings,
): { samples: Float32Array; words: ReplyWord[] } {
  const length = (ms: number) => Math.round((ms * rate) / 1000 / speed);
  const gap = length(GAP_MS);
  const edge = Math.max(1, Math.round((EDGE_MS * rate) / 1000));
  let end = 0;
  const words = phrase
    .split(/\s+/)
    .filter(Boolean)
    .map((text): ReplyWord => {
      const start = end;
      end = start + length(WORD_MS + LETTER_MS * text.length);
      const word = { text, start, end };
      end += gap;
      return word;
    });
  const samples = new Float32Array(end);
  for (const [index, { start, end: stop }] of words.entries()) {
    const step = (2 * Math.PI * pitchOf(index, pitch)) / rate;
    for (let i = start; i < stop; i++) {
      const fade = Math.min(1, (i - start + 1) / edge, (stop - i) / edge);
      samples[i] = 0.3 * fade * Math.sin(step * (i - start));
    }
  }
  return { samples, words };
}
