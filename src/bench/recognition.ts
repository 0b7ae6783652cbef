import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '../server/engines/builtin/random.ts';
import { sampleSentences, sentences } from '../server/engines/builtin/sentences.ts';
import type { SpeechRecognizer, Transcript } from '../server/engines/contracts.ts';
import { create as createVoice } from '../server/engines/flite-tts.ts';
import { nGramModel } from '../server/engines/pocketsphinx/n-gram-model.ts';
import { create } from '../server/engines/pocketsphinx-asr.ts';
import { readAudioFile } from './audio-files.ts';
import { inRoom, withNoise } from './rooms-and-noise.ts';
import { type Row, type Say, spread } from './row.ts';
import { SHARED_DATA } from './speech-set.ts';
import { plainWords, wordErrors } from './word-errors.ts';

type Utterance = { readonly said: string; readonly samples: Float32Array };
type Result = { wrong: number; words: number; believed: number; tails: number[]; computedMs: number; heardMs: number };

const SENTENCES = 200;
const SEED = 20_261_122;
const DECIBELS = 20;
/** The general model is slow, and a far talker beyond it: they get one sentence in so many. */
const SOME = 4;
const SETS = ['librispeech-test-other', 'ljspeech-32', 'pocketsphinx-librivox-5', 'speechbrain-asr-12', 'jfk'];
const NOISES = [
  ...[1, 2, 3, 4, 5].map((i) => `noise/speechbrain-noise/noise${i}.wav`),
  'noise/livekit-keyboard-office/keyboard-typing.ogg',
];
/** In rir1 the talker's own sound is weaker than its echoes (-1.7 dB); it counts like the others, and alone. */
const ROOMS = [...[2, 3, 4, 1].map((i) => `rir/speechbrain/rir${i}.wav`), 'rir/lhotse/sim_1ch.wav'];
const FAR_ROOM = ['rir/speechbrain/rir1.wav'];

/**
 * Word error rates in percent: sentences of the built-in brain (kept out of the language model), spoken by the synthetic
 * voices, clean and with rooms and noise; and real speech. The baseline is the general language model alone, on
 * every fourth of the sentences.
 */
export async function recognition(say: Say): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-recognition-'));
  const languageModel = join(folder, 'held-out.arpa');
  const asked = sampleSentences(SENTENCES, SEED);
  const known = new Set(asked);
  await writeFile(languageModel, nGramModel([...sentences()].filter((sentence) => !known.has(sentence))));

  const before = process.memoryUsage.rss();
  const started = performance.now();
  const brain = await create({ expects: 'builtin', languageModel });
  const startMs = performance.now() - started;
  const memory = (process.memoryUsage.rss() - before) / 1e6;
  const general = await create({ expects: 'anything' });
  try {
    const rows: Row[] = [
      { id: 'recognition-start', unit: 'ms', n: 1, value: round(startMs) },
      { id: 'recognition-memory', unit: 'MB', n: 1, value: round(memory) },
    ];
    const clean = await speakAll(asked);
    const conditions: [string, Utterance[] | undefined, number | undefined][] = [
      ['clean', clean, 12],
      ['noisy', disturbed(clean, ROOMS), 25],
      ['noisy-far', disturbed(some(clean), FAR_ROOM), undefined],
    ];
    for (const [name, utterances, bar] of conditions) {
      if (!utterances) say(`No recognition-brain-${name}: it needs the recordings of ../shared/data.`);
      else {
        const heard = await hearAll(brain, utterances);
        rows.push(
          ...brainRows(name, bar, heard, await hearAll(general, bar === undefined ? utterances : some(utterances))),
        );
        say(progress(rows, `recognition-brain-${name}`));
      }
    }
    for (const set of SETS) {
      const utterances = realSpeech(set);
      if (utterances.length === 0) say(`No recognition-${set}: it needs the recordings of ../shared/data.`);
      else {
        rows.push(...realRows(set, await hearAll(general, utterances), await hearAll(brain, utterances)));
        say(progress(rows, `recognition-${set}`));
      }
    }
    return [...summary(rows), ...rows];
  } finally {
    await brain[Symbol.asyncDispose]();
    await general[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Both bars in one row: `value` is clean, `worst` is with rooms and 20 dB of noise. */
function summary(rows: readonly Row[]): Row[] {
  const [clean, noisy] = ['clean', 'noisy'].map((name) => rows.find(({ id }) => id === `recognition-brain-${name}`));
  if (!clean || !noisy) return [];
  const { value, baseline } = clean;
  return [
    {
      id: 'recognition',
      unit: clean.unit,
      n: clean.n + noisy.n,
      ...(value === undefined ? {} : { value }),
      ...(noisy.value === undefined ? {} : { worst: noisy.value }),
      ...(baseline === undefined ? {} : { baseline }),
      bar: 'clean (value) ≤ 12 %, 20 dB (worst) ≤ 25 %',
      ok: clean.ok === true && noisy.ok === true,
    },
  ];
}

function brainRows(name: string, bar: number | undefined, result: Result, baseline: Result): Row[] {
  const id = `recognition-brain-${name}`;
  const value = errorRate(result);
  const judged = bar === undefined ? {} : { bar: `≤ ${bar} %`, ok: value <= bar };
  const n = result.tails.length;
  return [
    { id, unit: '% words wrong', n, value, baseline: errorRate(baseline), ...judged },
    { id: `${id}-believed`, unit: '% understood', n, value: round((100 * result.believed) / n) },
    { id: `${id}-tail`, unit: 'ms', ...spread(result.tails) },
    { id: `${id}-load`, unit: 'of real time', n, value: round(result.computedMs / result.heardMs) },
  ];
}

function realRows(set: string, general: Result, brain: Result): Row[] {
  const n = general.tails.length;
  return [
    { id: `recognition-${set}`, unit: '% words wrong', n, value: errorRate(general) },
    { id: `recognition-${set}-believed`, unit: '% understood', n, value: round((100 * brain.believed) / n) },
  ];
}

async function hearAll(asr: SpeechRecognizer, utterances: readonly Utterance[]): Promise<Result> {
  const result: Result = { wrong: 0, words: 0, believed: 0, tails: [], computedMs: 0, heardMs: 0 };
  for (const { said, samples } of utterances) {
    const started = performance.now();
    let ended = started;
    const speech = async function* () {
      for (let at = 0; at < samples.length; at += 512) yield samples.subarray(at, at + 512);
      ended = performance.now();
    };
    let last: Transcript | undefined;
    for await (const transcript of asr.recognize(speech(), new AbortController().signal)) last = transcript;
    const now = performance.now();
    const words = plainWords(said);
    result.wrong += wordErrors(words, plainWords(last?.text ?? ''));
    result.words += words.length;
    result.believed += last?.understood && last.text ? 1 : 0;
    result.tails.push(now - ended);
    result.computedMs += now - started;
    result.heardMs += samples.length / 16;
  }
  return result;
}

/** Each sentence by the next voice, with 0.3 s of silence around it. */
async function speakAll(texts: readonly string[]): Promise<Utterance[]> {
  const engine = await createVoice();
  const out: Utterance[] = [];
  for (const [i, said] of texts.entries()) {
    const voice = engine.voices[i % engine.voices.length]!;
    const pieces: Float32Array[] = [new Float32Array(4_800)];
    for await (const { samples } of engine.speak(said, { name: voice, speed: 1 }, new AbortController().signal))
      pieces.push(samples);
    pieces.push(new Float32Array(4_800));
    out.push({ said, samples: Float32Array.from(pieces.flatMap((piece) => [...piece])) });
  }
  await engine[Symbol.asyncDispose]();
  return out;
}

function disturbed(clean: readonly Utterance[], rooms: readonly string[]): Utterance[] | undefined {
  if (![...NOISES, ...rooms].every((file) => existsSync(join(SHARED_DATA, file)))) return undefined;
  const random = seeded(SEED);
  const read = (file: string) => readAudioFile(join(SHARED_DATA, file));
  const [noises, responses] = [NOISES.map(read), rooms.map(read)];
  const any = <T>(items: readonly T[]) => items[Math.floor(random() * items.length)]!;
  return clean.map(({ said, samples }) => {
    const noise = any(noises);
    const from = Math.floor(random() * noise.length);
    return { said, samples: withNoise(inRoom(samples, any(responses)), noise, from, DECIBELS) };
  });
}

function realSpeech(set: string): Utterance[] {
  const list = join(SHARED_DATA, 'speech', 'utterances.jsonl');
  if (!existsSync(list)) return [];
  const lines = readFileSync(list, 'utf8').trim().split('\n');
  return lines
    .map((line) => JSON.parse(line) as { file: string; text: string; lang?: string; exact: boolean })
    .filter(({ file, lang, exact }) => file.startsWith(`speech/${set}/`) && lang?.startsWith('en') && exact)
    .map(({ file, text }) => ({ said: text, samples: readAudioFile(join(SHARED_DATA, file)) }));
}

const some = <T>(items: readonly T[]) => items.filter((_, i) => i % SOME === 0);

const progress = (rows: readonly Row[], id: string) => {
  const row = rows.find((candidate) => candidate.id === id);
  return `${id}: ${row?.value} % of words wrong${row?.baseline === undefined ? '' : `, general model ${row.baseline} %`}`;
};

const errorRate = ({ wrong, words }: Result) => round((100 * wrong) / words);
const round = (value: number) => Math.round(value * 100) / 100;
