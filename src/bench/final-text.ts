import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Queue } from '../server/async/queue.ts';
import type { SpeechRecognizer } from '../server/engines/contracts.ts';
import { create as createSherpa, type SherpaAsrSettings } from '../server/engines/sherpa-asr.ts';
import { create as createWhisper } from '../server/engines/whisper-asr.ts';
import { type Row, type Say, spread } from './row.ts';
import { writeTinyMoonshine, writeTinyMoonshineV2 } from './tiny-models/asr-moonshine.ts';
import { writeTinyParakeet } from './tiny-models/asr-parakeet.ts';
import { writeTinySenseVoice } from './tiny-models/asr-sense-voice.ts';
import { writeTinyWhisperGgml } from './tiny-models/asr-whisper-ggml.ts';
import { writeTinyWhisperOnnx } from './tiny-models/asr-whisper-onnx.ts';
import { writeTinyZipformer } from './tiny-models/asr-zipformer.ts';

const RATE = 16_000;
const CHUNK = 512;
const UTTERANCES = 8;
const SPOKEN_SECONDS = 1.2;
/** The pause after which the conversation ends an utterance. */
const PAUSE_SECONDS = 0.416;

type Write = (folder: string) => Promise<SherpaAsrSettings['files']>;
const SHERPA: readonly (readonly [name: string, family: SherpaAsrSettings['family'], write: Write])[] = [
  ['zipformer', 'zipformer', writeTinyZipformer],
  ['parakeet', 'parakeet', writeTinyParakeet],
  ['moonshine', 'moonshine', writeTinyMoonshine],
  ['moonshine-v2', 'moonshine', writeTinyMoonshineV2],
  ['whisper-onnx', 'whisper-onnx', writeTinyWhisperOnnx],
  ['sense-voice', 'sense-voice', writeTinySenseVoice],
];

/**
 * From the last chunk of an utterance, given in real time with the pause at its end, to its final text, with networks that do next
 * to nothing: what everything around a network costs (features, the library, decoding again), not what a real model takes.
 */
export async function finalText(say: Say): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-tiny-'));
  const rows: Row[] = [];
  const common = { language: 'en', threads: 1, name: 'tiny' } as const;
  try {
    for (const [name, family, write] of SHERPA) {
      const files = await write(join(folder, name));
      rows.push(await measure(name, await createSherpa({ ...common, family, files }), say));
    }
    const file = await writeTinyWhisperGgml(join(folder, 'ggml.bin'));
    rows.push(await measure('whisper-ggml', await createWhisper({ ...common, file, device: 'cpu' }), say));
    return rows;
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function measure(name: string, asr: SpeechRecognizer, say: Say): Promise<Row> {
  await using _ = asr;
  const waits: number[] = [];
  let partials = 0;
  for (let i = 0; i < UTTERANCES; i++) {
    const speech = new Queue<Float32Array>();
    let endedAt = 0;
    void talk(speech).then((at) => (endedAt = at));
    for await (const { final } of asr.recognize(speech, new AbortController().signal)) {
      if (final) waits.push(performance.now() - endedAt);
      else partials++;
    }
  }
  say(`  ${name}: ${(partials / UTTERANCES).toFixed(1)} partial texts per utterance`);
  return { id: `final-text-${name}`, unit: 'ms', ...spread(waits) };
}

/** Speaks an utterance in real time; the time at which its last chunk was given. */
async function talk(speech: Queue<Float32Array>): Promise<number> {
  const begin = performance.now();
  const spoken = SPOKEN_SECONDS * RATE;
  for (let at = 0; at < spoken + PAUSE_SECONDS * RATE; at += CHUNK) {
    await sleep(Math.max(0, begin + ((at + CHUNK) / RATE) * 1000 - performance.now()));
    speech.push(Float32Array.from({ length: CHUNK }, (_, i) => (at + i < spoken ? 0.3 * Math.sin((at + i) ** 2) : 0)));
  }
  speech.end();
  return performance.now();
}
