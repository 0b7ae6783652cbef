import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MIC_RATE } from '../protocol/pcm.ts';
import { readAudioFile } from './audio-files.ts';

/** Real recordings beside the repository; absent on most machines. */
export const SHARED_DATA = '../shared/data';

export type Utterance = {
  readonly id: string;
  readonly text: string;
  readonly samples: Float32Array;
  /** First and last sample of the speech itself. */
  readonly onset: number;
  readonly end: number;
};

/** Real English utterances with their transcripts, shortest first, at most `seconds` long; empty without the recordings. */
export function realUtterances(count: number, seconds = 6): Utterance[] {
  const list = join(SHARED_DATA, 'speech', 'utterances.jsonl');
  if (!existsSync(list)) return [];
  const entries = readFileSync(list, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(
      (line) =>
        JSON.parse(line) as { id: string; file: string; lang: string; text: string; real: boolean; seconds: number },
    );
  return entries
    .filter(({ lang, real, seconds: length }) => lang === 'en' && real && length >= 1.5 && length <= seconds)
    .sort((a, b) => a.seconds - b.seconds)
    .slice(0, count)
    .map(({ id, file, text }) => {
      const samples = readAudioFile(join(SHARED_DATA, file));
      return { id, text, samples, ...speechBounds(samples) };
    });
}

const WINDOW = MIC_RATE / 100;
/** Speech lies within so many dB of the loud parts, and so many dB above the background. */
const BELOW_LOUD = 25;
const ABOVE_BACKGROUND = 8;
/** A breath, a click or the rest of an earlier word is over sooner: of so many windows, so many must be speech. */
const SUSTAINED = [
  { of: 15, speak: 13 },
  { of: 20, speak: 16 },
];

/**
 * Where speech begins and ends in samples, for measuring only: the first and the last 10 ms window that is within 25 dB of
 * the loud parts (95th percentile of the windows' levels) and 8 dB above the background (5th percentile), in a stretch of
 * which 130 of 150 ms, or 160 of 200 ms, are so. Without any such stretch, the whole recording.
 */
export function speechBounds(samples: Float32Array): { onset: number; end: number } {
  const levels: number[] = [];
  for (let at = 0; at + WINDOW <= samples.length; at += WINDOW) {
    let power = 0;
    for (let i = at; i < at + WINDOW; i++) power += samples[i]! ** 2;
    levels.push(10 * Math.log10(power / WINDOW + 1e-12));
  }
  const first = begin(levels);
  if (first === undefined) return { onset: 0, end: samples.length };
  const last = levels.length - 1 - begin([...levels].reverse())!;
  return { onset: first * WINDOW, end: (last + 1) * WINDOW };
}

/** The first window of the first stretch of speech. */
function begin(levels: readonly number[]): number | undefined {
  const sorted = [...levels].sort((a, b) => a - b);
  const at = (share: number) => sorted[Math.floor(levels.length * share)] ?? 0;
  const enough = Math.max(at(0.95) - BELOW_LOUD, at(0.05) + ABOVE_BACKGROUND);
  const found = levels.findIndex((level, i) => {
    if (level <= enough) return false;
    const speaking = (count: number) => levels.slice(i, i + count).filter((one) => one > enough).length;
    return SUSTAINED.some(({ of, speak }) => speaking(of) >= speak);
  });
  return found < 0 ? undefined : found;
}
