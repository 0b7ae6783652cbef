import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MIC_RATE } from '../protocol/pcm.ts';
import { VIDEO_FPS } from '../server/video/contracts.ts';
import { createVisemes, mouthShapes } from '../server/video/lip-sync/visemes.ts';
import { readAudioFile } from './audio-files.ts';
import { blueFace, drawnOpening } from './drawn-face.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { SHARED_DATA } from './speech-set.ts';
import { synthesisedUtterances } from './synthesised.ts';

const RECORDINGS = 20;
/** A pause between recordings' words is long enough to be judged from here on (frames: 200 ms). */
const SILENT_FRAMES = 5;
const SILENT_DB = -30;
/** An opening below it is closed: of a shape, of which 1 is as far as it goes, and in pixels of the drawn face. */
const CLOSED = 0.05;

const SENTENCES = [
  'The quick brown fox jumps over the lazy dog, and then it sleeps in the warm sun for an hour.',
  'My mother bought a pound of apples. Papa made a pie of them.',
  'We were away a year ago. Who would have known how far we would go?',
  'She sells sea shells on the shore; the shells she sells are surely sea shells.',
];

/** How well mouth openings (`VIDEO_FPS`, in any unit) fit a speech. */
export type LipSyncFigures = {
  /** Pearson's, of the opening with the speech's RMS envelope (amplitude, per frame, smoothed over three frames by 1-2-1). */
  readonly correlation: number;
  /** Frames of silence: their RMS is 30 dB or more below the loud parts (95th percentile of the frames), for 200 ms or longer. */
  readonly silent: number;
  /** How many of these the mouth is closed in. */
  readonly closed: number;
};

/** Compares openings with the speech (mono, -1 to 1) that they were made for. */
export function lipSyncFigures(openings: readonly number[], samples: Float32Array, rate: number): LipSyncFigures {
  const levels = openings.map((_, frame) => rms(samples, (frame * rate) / VIDEO_FPS, ((frame + 1) * rate) / VIDEO_FPS));
  const envelope = levels.map((level, i) => ((levels[i - 1] ?? level) + 2 * level + (levels[i + 1] ?? level)) / 4);
  const threshold = percentile(levels, 95) * 10 ** (SILENT_DB / 20);
  const silent = levels.map((level) => level <= threshold);
  const judged = openings.filter((_, i) => {
    const from = silent.lastIndexOf(false, i) + 1;
    const to = silent.indexOf(false, i);
    return silent[i] && (to < 0 ? silent.length : to) - from >= SILENT_FRAMES;
  });
  return {
    correlation: correlation(openings, envelope),
    silent: judged.length,
    closed: judged.filter((opening) => opening < CLOSED).length,
  };
}

/** Whether the mouth that is drawn fits the speech, and what that costs. */
export async function lipSync(say: Say): Promise<Row[]> {
  const speeches = unknownSpeakers();
  if (speeches.length === 0) {
    say('Synthetic speech: the recordings of ../shared/data are not there.');
    speeches.push(...(await synthesisedUtterances(SENTENCES)));
  }
  const asked: LipSyncFigures[] = [];
  const drawn: LipSyncFigures[] = [];
  const costs: number[] = [];
  for (const { id, samples } of speeches) {
    const before = process.cpuUsage();
    const openings = await openingsOf(samples);
    const { user, system } = process.cpuUsage(before);
    costs.push((user + system) / 1_000 / (samples.length / MIC_RATE));
    const shape = lipSyncFigures(openings, samples, MIC_RATE);
    const picture = lipSyncFigures(await drawnOpenings(samples), samples, MIC_RATE);
    asked.push(shape);
    drawn.push(picture);
    const [first, second] = [round(shape.correlation), round(picture.correlation)];
    say(`${id}: ${first}, drawn ${second}, closed in ${picture.closed} of ${picture.silent} silent frames`);
  }
  return [
    correlationRow('lip-sync', drawn, true),
    closedRow('lip-sync-closed', drawn),
    correlationRow('lip-sync-shape', asked, false),
    closedRow('lip-sync-shape-closed', asked),
    { id: 'lip-sync-cpu', unit: 'ms of CPU per s', ...spread(costs) },
  ];
}

/** The worst of a correlation is the least. */
function correlationRow(id: string, figures: readonly LipSyncFigures[], judged: boolean): Row {
  const correlations = figures.map(({ correlation }) => correlation);
  const p50 = round(percentile(correlations, 50));
  const row = { id, unit: 'correlation', n: figures.length, p50, worst: round(Math.min(...correlations)) };
  return judged ? { ...row, bar: 'p50 ≥ 0.6', ok: p50 >= 0.6 } : row;
}

function closedRow(id: string, figures: readonly LipSyncFigures[]): Row {
  const silent = sum(figures.map((figure) => figure.silent));
  const closed = round((100 * sum(figures.map((figure) => figure.closed))) / silent);
  return { id, unit: '% of silence', n: silent, value: closed, bar: '≥ 95 %', ok: closed >= 95 };
}

async function* atOnce(samples: Float32Array): AsyncGenerator<Float32Array> {
  yield samples;
}

async function openingsOf(samples: Float32Array): Promise<number[]> {
  const openings: number[] = [];
  for await (const { open } of mouthShapes(atOnce(samples), MIC_RATE, new AbortController().signal))
    openings.push(open);
  return openings;
}

/** In pixels. */
async function drawnOpenings(samples: Float32Array): Promise<number[]> {
  await using visemes = createVisemes();
  const openings: number[] = [];
  const { signal } = new AbortController();
  for await (const picture of visemes.frames(blueFace(), atOnce(samples), MIC_RATE, signal))
    openings.push(drawnOpening(picture));
  return openings;
}

/**
 * Real recordings of five speakers, of whom the network has learned nothing: the first of the set, by name, four of each.
 * Empty where they are not there.
 */
export function unknownSpeakers(count = RECORDINGS): { id: string; samples: Float32Array }[] {
  const folder = join(SHARED_DATA, 'speech', 'librispeech-test-other');
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder).filter((file) => file.endsWith('.flac'));
  return files
    .sort()
    .slice(0, count)
    .map((file) => ({ id: file, samples: readAudioFile(join(folder, file)) }));
}

function rms(samples: Float32Array, from: number, to: number): number {
  const part = samples.subarray(Math.round(from), Math.round(to));
  return Math.sqrt(part.reduce((total, sample) => total + sample * sample, 0) / Math.max(1, part.length));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (x: readonly number[], y: readonly number[], meanX: number, meanY: number) =>
    sum(x.map((value, i) => (value - meanX) * (y[i]! - meanY)));
  return product(a, b, meanA, meanB) / Math.sqrt(product(a, a, meanA, meanA) * product(b, b, meanB, meanB));
}

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
const mean = (values: readonly number[]) => sum(values) / values.length;
const round = (value: number) => Math.round(value * 100) / 100;
