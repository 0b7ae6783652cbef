import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/bench/fake-hub.ts';
import { BASE_REPO_IGNORE_PATTERNS, isIgnoredInBase, WAN22_MODELS } from '../../../src/server/models/manifest-video.ts';
import type { ModelEntry } from '../../../src/server/models/model-entry.ts';
import { wan22Files, wantedFromHub } from '../../../src/server/video/base/wan22/model-files.ts';
import { VideoError } from '../../../src/server/video/contracts.ts';
import { StoreBench } from '../../fixtures/model-store.ts';
import { PUBLISHED_BASE, PUBLISHED_EXPERTS } from '../../fixtures/wan22-published.ts';

const never = new AbortController().signal;
const BASE = 'Wan-AI/Wan2.2-I2V-A14B';
const EXPERTS = 'lightx2v/Wan2.2-Distill-Models';
const hub = { baseModel: '', highNoise: '', lowNoise: '' };
const GB = 1e9;

/** Bytes that pass for a file of this name. */
function bytesOf(path: string): Buffer {
  if (path.endsWith('.json')) return Buffer.from(`{"path": "${path}"}`);
  if (!path.endsWith('.safetensors')) return Buffer.from(`bytes of ${path}`);
  const json = Buffer.from(`{"__metadata__": {"path": "${path}"}}`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([length, json]);
}

/** The same model, of the bytes that the fake hub has in place of 40 GB. */
const faked = <E extends ModelEntry>(entry: E): E => ({
  ...entry,
  files: entry.files.map((file) => {
    const bytes = bytesOf(file.path);
    const { sha256: pinned, ...rest } = file;
    return { ...rest, bytes: bytes.length, ...(pinned !== undefined && { sha256: sha256(bytes) }) };
  }),
});

async function benchWithHub() {
  const bench = await StoreBench.open();
  for (const path of PUBLISHED_BASE)
    bench.hub.put(BASE, path, bytesOf(path), { lfs: /\.(pth|safetensors)$/.test(path) });
  for (const path of PUBLISHED_EXPERTS) bench.hub.put(EXPERTS, path, bytesOf(path), { lfs: true });
  const real = bench.store();
  const store = {
    find: real.find.bind(real),
    missing: (entries: readonly ModelEntry[], signal: AbortSignal) => real.missing(entries.map(faked), signal),
    pull: (entries: readonly ModelEntry[], onProgress: Parameters<typeof real.pull>[1], signal: AbortSignal) =>
      real.pull(entries.map(faked), onProgress, signal),
  };
  return { bench, store: store as typeof store & { find: typeof real.find } };
}

describe('what comes from the base repository', () => {
  const kept = PUBLISHED_BASE.filter((path) => !isIgnoredInBase(path));

  it("is all but the experts' own shards, their indexes, and pictures", () => {
    expect(PUBLISHED_BASE.filter(isIgnoredInBase).filter((path) => !/^(assets|examples)\//.test(path))).toEqual(
      ['high_noise_model', 'low_noise_model'].flatMap((expert) => [
        ...[1, 2, 3, 4, 5, 6].map((i) => `${expert}/diffusion_pytorch_model-0000${i}-of-00006.safetensors`),
        `${expert}/diffusion_pytorch_model.safetensors.index.json`,
      ]),
    );
    expect(kept).toEqual(expect.arrayContaining(['high_noise_model/config.json', 'low_noise_model/config.json']));
    expect(kept.filter((path) => /^(assets|examples)\//.test(path))).toEqual([]);
    expect(BASE_REPO_IGNORE_PATTERNS).toHaveLength(6);
  });

  it.each(WAN22_MODELS.map((model) => [model.id, model] as const))('and %s names exactly that', (_, model) => {
    const named = model.files.filter(({ repo }) => repo === BASE).map(({ path }) => path);
    const papers = ['.gitattributes', 'README.md', 'configuration.json'];
    expect([...named].sort()).toEqual(kept.filter((path) => !papers.includes(path)).sort());
    for (const { path, repo } of model.files) {
      expect(repo === BASE ? PUBLISHED_BASE : PUBLISHED_EXPERTS).toContain(path);
    }
  });
});

describe('the files of Wan2.2', () => {
  it('are fetched, having said how much that is, and lie as LightX2V wants them', async () => {
    const { bench, store } = await benchWithHub();
    await using _ = bench;
    const said: string[] = [];
    const shares: number[] = [];
    const files = await wan22Files(
      hub,
      'fp8',
      store,
      (line) => said.push(line),
      (done) => shares.push(done),
      never,
    );
    expect(said).toEqual([expect.stringMatching(/^\d+\.\d GB in 10 files to download: wan22-fp8$/)]);
    expect(shares.at(-1)).toBe(1);
    expect(files.highNoise).toMatch(/high_noise_scaled_fp8_e4m3_lightx2v_4step\.safetensors$/);
    expect(files.lowNoise).toMatch(/low_noise_scaled_fp8_e4m3_lightx2v_4step\.safetensors$/);
    const snapshot = (file: string) => join(bench.folder, 'models--Wan-AI--Wan2.2-I2V-A14B', 'snapshots', file);
    expect(files.base.startsWith(snapshot(''))).toBe(true);
    const { readdirSync } = await import('node:fs');
    expect(readdirSync(files.base).sort()).toEqual(
      ['Wan2.1_VAE.pth', 'google', 'high_noise_model', 'low_noise_model', 'models_t5_umt5-xxl-enc-bf16.pth'].sort(),
    );
    expect(readdirSync(join(files.base, 'high_noise_model'))).toEqual(['config.json']);
    // Nothing was even asked about what is left out.
    expect(bench.hub.served.map(({ path }) => path).filter(isIgnoredInBase)).toEqual([]);
    expect(bench.hub.requests.map(({ line }) => line).filter((line) => /-of-00006|index\.json/.test(line))).toEqual([]);
    const before = bench.hub.served.length;
    await wan22Files(
      hub,
      'fp8',
      store,
      (line) => said.push(line),
      () => {},
      never,
    );
    expect([bench.hub.served.length, said.length]).toEqual([before, 1]);
  });

  it("come from the hub only where the user has none: experts of one's own leave the base", async () => {
    const { bench, store } = await benchWithHub();
    await using _ = bench;
    const own = { baseModel: '', highNoise: '/my/high_noise.safetensors', lowNoise: '/my/low_noise.safetensors' };
    const files = await wan22Files(
      own,
      'int8',
      store,
      () => {},
      () => {},
      never,
    );
    expect(files).toMatchObject({ highNoise: own.highNoise, lowNoise: own.lowNoise });
    expect(bench.hub.served.map(({ path }) => path).filter((path) => /lightx2v_4step/.test(path))).toEqual([]);
    expect(wantedFromHub({ ...own, baseModel: '/my/base' }, 'int8')).toBeUndefined();
  });

  it('are as many gigabytes as are left to fetch', () => {
    const bytes = (own: Partial<typeof hub>) => (wantedFromHub({ ...hub, ...own }, 'fp8')?.totalBytes ?? 0) / GB;
    expect(bytes({})).toBeCloseTo(41.9, 1);
    expect(bytes({ highNoise: '/my/one' })).toBeCloseTo(26.9, 1);
    expect(bytes({ baseModel: '/my/base' })).toBeCloseTo(30, 1);
  });

  it('that cannot be fetched are an error that names the way', async () => {
    const { bench } = await benchWithHub();
    await using _ = bench;
    const offline = bench.store({ offline: true });
    const error = await wan22Files(
      hub,
      'int8',
      offline,
      () => {},
      () => {},
      never,
    ).catch((one: unknown) => one);
    expect(error).toBeInstanceOf(VideoError);
    expect((error as Error).message).toMatch(/models\.offline.*voice-chat models pull wan22-int8/);
  });
});
