import { joinedSamples } from '../protocol/pcm.ts';
import type { SpeechSynthesizer, SpokenPcm } from '../server/engines/contracts.ts';
import { create } from '../server/engines/flite-tts.ts';
import { type Dnsmos, openDnsmos } from './dnsmos.ts';
import { type HeardWord, hearAll } from './pocketsphinx-batch.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { SENTENCES } from './synthesis-sentences.ts';
import { pairWords, plainWords, wordErrors } from './word-errors.ts';

type Spoken = { text: string; samples: Float32Array; words: { text: string; start: number; end: number }[] };

/** The embedded synthesiser: start, speed and first audio, and each voice's intelligibility, quality and word times. */
export async function synthesis(say: Say): Promise<Row[]> {
  const before = process.memoryUsage.rss();
  const started = performance.now();
  const engine = await create();
  const rows: Row[] = [{ id: 'synthesis-start', unit: 'ms', n: 1, value: round(performance.now() - started) }];
  const dnsmos = await openDnsmos();
  if (!dnsmos) say('No DNSMOS: its network or onnxruntime-node is not there.');
  for (const voice of engine.voices) {
    const spoken = await speakAll(engine, voice, rows);
    rows.push({ id: `synthesis-level-${voice}`, unit: 'dBFS', ...spread(spoken.map(({ samples }) => level(samples))) });
    const heard = hearAll(spoken.map(({ samples }) => samples));
    if (heard) rows.push(...understood(voice, spoken, heard));
    else say('No intelligibility: it needs the Debian packages pocketsphinx and pocketsphinx-en-us.');
    if (dnsmos) rows.push(...(await quality(voice, spoken, dnsmos)));
  }
  rows.push({ id: 'synthesis-memory', unit: 'MB', n: 1, value: round((process.memoryUsage.rss() - before) / 1e6) });
  await engine[Symbol.asyncDispose]();
  return rows;
}

async function speakAll(engine: SpeechSynthesizer, voice: string, rows: Row[]): Promise<Spoken[]> {
  const spoken: Spoken[] = [];
  const first: number[] = [];
  const factor: number[] = [];
  for (const text of SENTENCES) {
    const chunks: SpokenPcm[] = [];
    const started = performance.now();
    for await (const chunk of engine.speak(text, { name: voice, speed: 1 }, new AbortController().signal)) {
      if (chunks.push(chunk) === 1) first.push(performance.now() - started);
    }
    const took = performance.now() - started;
    const samples = joinedSamples(chunks.map((chunk) => chunk.samples));
    factor.push(took / 1000 / (samples.length / engine.rate));
    spoken.push({ text, samples, words: chunks.flatMap((chunk) => chunk.words ?? []) });
  }
  rows.push({ id: `synthesis-first-${voice}`, unit: 'ms', ...spread(first) });
  rows.push({
    id: `synthesis-factor-${voice}`,
    unit: 'of real time',
    n: factor.length,
    value: round(percentile(factor, 50), 4),
  });
  return spoken;
}

function understood(voice: string, spoken: readonly Spoken[], heard: readonly HeardWord[][]): Row[] {
  let said = 0;
  let wrong = 0;
  const errorsMs: number[] = [];
  const errorsWords: number[] = [];
  for (const [i, { text, words }] of spoken.entries()) {
    const wanted = plainWords(text);
    const got = heard[i]!.map((word) => word.text);
    said += wanted.length;
    wrong += wordErrors(wanted, got);
    for (const [a, b] of pairWords(wanted, got)) {
      if (a === undefined || b === undefined || wanted[a] !== got[b]) continue;
      const truth = heard[i]![b]!;
      errorsMs.push(Math.abs(words[a]!.start - truth.start) / 16, Math.abs(words[a]!.end - truth.end) / 16);
      // A cut in the middle of this word: which word do we say it fell into?
      const cut = (truth.start + truth.end) / 2;
      const ours = words.findLastIndex((word) => word.start <= cut);
      errorsWords.push(Math.abs(ours - a));
    }
  }
  return [
    { id: `synthesis-word-errors-${voice}`, unit: '%', n: said, value: round((100 * wrong) / said, 1) },
    { id: `synthesis-word-edges-${voice}`, unit: 'ms', ...spread(errorsMs) },
    { id: `synthesis-word-place-${voice}`, unit: 'words', ...spread(errorsWords) },
  ];
}

async function quality(
  voice: string,
  spoken: readonly Spoken[],
  dnsmos: NonNullable<Awaited<ReturnType<typeof openDnsmos>>>,
): Promise<Row[]> {
  const scores: Dnsmos[] = [];
  for (const { samples } of spoken) scores.push(await dnsmos(samples));
  const row = (part: 'signal' | 'noise' | 'overall'): Row => {
    const values = scores.map((score) => score[part]);
    const value = round(values.reduce((sum, one) => sum + one, 0) / values.length);
    return { id: `synthesis-dnsmos-${part}-${voice}`, unit: 'MOS', n: values.length, value };
  };
  return [row('overall'), row('signal'), row('noise')];
}

/** Root mean square over the parts that are speech. */
function level(samples: Float32Array): number {
  let sum = 0;
  let count = 0;
  for (let at = 0; at + 320 <= samples.length; at += 320) {
    const power = samples.subarray(at, at + 320).reduce((total, x) => total + x * x, 0) / 320;
    if (power < 1e-4) continue;
    sum += power;
    count++;
  }
  return 10 * Math.log10(sum / count);
}

function round(value: number, places = 2): number {
  return Number(value.toFixed(places));
}
