import { MIC_FRAME } from '../protocol/pcm.ts';
import type { VoiceDetector } from '../server/engines/contracts.ts';
import { create } from '../server/engines/silero-vad.ts';
import { EngineProcess } from '../server/workers/engine-process.ts';
import { remoteVad } from '../server/workers/remote-engines.ts';
import { percentile, type Row, type Say, spread } from './row.ts';

const CALLS = 600;
const WARM = 50;
/** 128 ms of audio: the fewest whole frames that hold 100 ms. */
const FRAMES = 4;

/**
 * What a call costs for running in another process: Silero over 128 ms of audio, from the call to its last result, there and
 * here by turns, so that both meet the same machine. Each row entry is a call there less the median of those here; the baseline
 * is that median.
 */
export async function processOverhead(say: Say): Promise<Row[]> {
  const signal = new AbortController().signal;
  await using process = await EngineProcess.start({
    stage: 'vad',
    name: 'silero',
    module: new URL('../server/engines/silero-vad.js', import.meta.url),
    factory: 'create',
    settings: {},
    startMs: 30_000,
    stallMs: 10_000,
    canary: async (worker) => void (await timed(remoteVad(worker), signal)),
  });
  await using here = await create({});
  const there = remoteVad(process);
  const times = { here: [] as number[], there: [] as number[] };
  for (let i = 0; i < WARM + CALLS; i++) {
    const [a, b] = [await timed(here, signal), await timed(there, signal)];
    if (i < WARM) continue;
    times.here.push(a);
    times.there.push(b);
  }
  const baseline = percentile(times.here, 50);
  const overhead = spread(times.there.map((ms) => ms - baseline));
  say(`in this process p50 ${baseline.toFixed(2)} ms, in another p50 ${percentile(times.there, 50).toFixed(2)} ms`);
  return [
    {
      id: 'process-overhead',
      unit: 'ms',
      ...overhead,
      baseline: Math.round(baseline * 100) / 100,
      bar: 'p50 ≤ 1',
      ok: overhead.p50! <= 1,
    },
  ];
}

async function timed(vad: VoiceDetector, signal: AbortSignal): Promise<number> {
  const began = performance.now();
  let results = 0;
  for await (const _ of vad.detect(audio(), signal)) results++;
  if (results !== FRAMES) throw new Error(`${results} results came for ${FRAMES} frames.`);
  return performance.now() - began;
}

async function* audio(): AsyncGenerator<Float32Array> {
  for (let i = 0; i < FRAMES; i++) yield new Float32Array(MIC_FRAME).fill(0.01);
}
