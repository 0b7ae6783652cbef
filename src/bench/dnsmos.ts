import { existsSync } from 'node:fs';
import { resolve } from 'node:path';

/** Where the DNSMOS network is looked for, from the repository's root. */
export const DNSMOS_FILE = '../shared/data/models/dnsmos/sig_bak_ovr.onnx';

const LENGTH = 144_160;
// The fit of the network's raw figures to people's scores, from DNS-Challenge's dnsmos_local.py.
const FIT = {
  signal: [-0.08397278, 1.22083953, 0.0052439],
  noise: [-0.13166888, 1.60915514, -0.39604546],
  overall: [-0.06766283, 1.11546468, 0.04602535],
} as const;

/** What people would score, 1 to 5: the speech itself, the freedom from noise, and both. */
export type Dnsmos = Record<keyof typeof FIT, number>;

/** A function that scores 16 kHz speech, or undefined where the network or its runtime is not there. */
export async function openDnsmos(): Promise<((samples: Float32Array) => Promise<Dnsmos>) | undefined> {
  const file = resolve(DNSMOS_FILE);
  if (!existsSync(file)) return undefined;
  const ort = await import('onnxruntime-node').catch(() => undefined);
  if (!ort) return undefined;
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1, logSeverityLevel: 3 });
  return async (samples) => {
    // Shorter speech is repeated, as the original does.
    const input = Float32Array.from({ length: LENGTH }, (_, i) => samples[i % samples.length]!);
    const results = await session.run({ [session.inputNames[0]!]: new ort.Tensor('float32', input, [1, LENGTH]) });
    const raw = results[session.outputNames[0]!]!.data as Float32Array;
    const score = ([a, b, c]: readonly [number, number, number], x: number) => (a * x + b) * x + c;
    return {
      signal: score(FIT.signal, raw[0]!),
      noise: score(FIT.noise, raw[1]!),
      overall: score(FIT.overall, raw[2]!),
    };
  };
}
