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

/**
 * Where speech begins and ends, for measuring only: the first and last of three 10 ms windows in a row that are within
 * 25 dB of the loud parts (95th percentile of the windows' levels).
 */
export function speechBounds(samples: Float32Array): { onset: number; end: number } {
  const levels: number[] = [];
  for (let at = 0; at + WINDOW <= samples.length; at += WINDOW) {
    let power = 0;
    for (let i = at; i < at + WINDOW; i++) power += samples[i]! ** 2;
    levels.push(10 * Math.log10(power / WINDOW + 1e-12));
  }
  const loud = [...levels].sort((a, b) => a - b)[Math.floor(levels.length * 0.95)] ?? 0;
  const speaks = (i: number) => [0, 1, 2].every((k) => (levels[i + k] ?? -200) > loud - 25);
  let first = 0;
  while (first < levels.length && !speaks(first)) first++;
  let last = levels.length - 3;
  while (last > 0 && !speaks(last)) last--;
  return { onset: first * WINDOW, end: (last + 3) * WINDOW };
}
