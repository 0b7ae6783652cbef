import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { scanCacheDir } from '@huggingface/hub';
import { describe, expect, it } from 'vitest';
import { gitSha1, sha256 } from '../../../src/bench/fake-hub.ts';
import { anEntry, modelBytes, StoreBench } from '../../fixtures/model-store.ts';

const { signal } = new AbortController();
const quiet = () => {};
const LARGE = modelBytes(200_000);
const SMALL = Buffer.from('{}');
const entry = anEntry([
  { role: 'encoder', path: 'onnx/encoder.onnx' },
  { role: 'config', path: 'config.json' },
]);
const A = 'a'.repeat(40);
const B = 'b'.repeat(40);

/** Lays files down as `huggingface_hub` does. */
function layDown(folder: string, commit: string, files: Record<string, Buffer>, repo = 'some/model'): void {
  const base = join(folder, `models--${repo.replace('/', '--')}`);
  for (const [path, bytes] of Object.entries(files)) {
    const etag = bytes.length > 1000 ? sha256(bytes) : gitSha1(bytes);
    const pointer = join(base, 'snapshots', commit, path);
    mkdirSync(join(base, 'blobs'), { recursive: true });
    mkdirSync(dirname(pointer), { recursive: true });
    writeFileSync(join(base, 'blobs', etag), bytes);
    symlinkSync(`${'../'.repeat(path.split('/').length + 1)}blobs/${etag}`, pointer);
  }
}
const ref = (folder: string, commit: string) => {
  mkdirSync(join(folder, 'models--some--model', 'refs'), { recursive: true });
  writeFileSync(join(folder, 'models--some--model', 'refs', 'main'), commit);
};
const BOTH = { 'onnx/encoder.onnx': LARGE, 'config.json': SMALL };

describe('what the store lays down', () => {
  it('is laid out as other programs of the hub read it', async () => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', 'onnx/encoder.onnx', LARGE);
    const commit = bench.hub.put('some/model', 'config.json', SMALL);
    await bench.store().pull([entry], quiet, signal);
    const base = join(bench.folder, 'models--some--model');
    expect(readFileSync(join(base, 'refs', 'main'), 'utf8')).toBe(commit);
    const pointer = join(base, 'snapshots', commit, 'onnx', 'encoder.onnx');
    expect(readlinkSync(pointer)).toBe(`../../../blobs/${sha256(LARGE)}`);
    expect(readlinkSync(join(base, 'snapshots', commit, 'config.json'))).toBe(`../../blobs/${gitSha1(SMALL)}`);
    const { repos, warnings } = await scanCacheDir(bench.folder);
    expect(warnings).toEqual([]);
    expect(repos).toMatchObject([
      { id: { name: 'some/model', type: 'model' }, revisions: [{ commitOid: commit, refs: ['main'] }] },
    ]);
  });

  it('is copies where links cannot be made, none kept twice', async () => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', 'onnx/encoder.onnx', LARGE);
    const commit = bench.hub.put('some/model', 'config.json', SMALL);
    const makeLink = async () => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    };
    const store = bench.store({ makeLink });
    const [model] = await store.pull([entry], quiet, signal);
    expect(lstatSync(model!.files.encoder!).isSymbolicLink()).toBe(false);
    expect(readFileSync(model!.files.encoder!).equals(LARGE)).toBe(true);
    const blob = join(bench.folder, 'models--some--model', 'blobs', sha256(LARGE));
    expect(existsSync(blob)).toBe(false);
    // A second model with one of the files fetches nothing for it.
    bench.hub.put('some/model', 'tokens.txt', SMALL);
    await store.pull([{ ...entry, revision: commit }], quiet, signal);
    expect(bench.hub.bytesServed).toBe(200_002);
    expect(await store.remove(entry)).toBe(200_002);
    expect(await store.find(entry)).toBeUndefined();
  });
});

describe('find', () => {
  it('takes what another program fetched, without the network', async () => {
    await using bench = await StoreBench.open();
    layDown(bench.folder, A, BOTH);
    ref(bench.folder, A);
    const model = await bench.store({ offline: true }).find(entry);
    const folder = join(bench.folder, 'models--some--model', 'snapshots', A);
    expect(model).toMatchObject({ folder, commit: A, bytes: 200_002 });
    expect(model!.files).toEqual({ encoder: join(folder, 'onnx/encoder.onnx'), config: join(folder, 'config.json') });
    expect(bench.hub.requests).toEqual([]);
  });

  it('prefers the pinned commit, for a branch the one it stood for, and else takes any that is complete', async () => {
    await using bench = await StoreBench.open();
    layDown(bench.folder, A, BOTH);
    layDown(bench.folder, B, BOTH);
    const store = bench.store();
    expect((await store.find({ ...entry, revision: A }))?.commit).toBe(A);
    expect((await store.find({ ...entry, revision: B }))?.commit).toBe(B);
    for (const commit of [A, B]) {
      ref(bench.folder, commit);
      expect((await store.find(entry))?.commit).toBe(commit);
    }
    const C = 'c'.repeat(40);
    layDown(bench.folder, C, { 'config.json': SMALL });
    expect([A, B]).toContain((await store.find({ ...entry, revision: C }))?.commit);
  });

  it('does not take half a model, a dangling link, or another size than the pinned commit has', async () => {
    await using bench = await StoreBench.open();
    const store = bench.store();
    expect(await store.find(entry)).toBeUndefined();
    layDown(bench.folder, A, { 'config.json': SMALL });
    expect(await store.find(entry)).toBeUndefined();
    symlinkSync('../../blobs/none', join(bench.folder, 'models--some--model/snapshots', A, 'encoder.onnx'));
    const dangling = anEntry([{ role: 'encoder', path: 'encoder.onnx' }]);
    expect(await store.find(dangling)).toBeUndefined();
    const sized = (bytes: number) => anEntry([{ role: 'config', path: 'config.json', bytes }], { revision: A });
    expect(await store.find(sized(2))).toBeDefined();
    expect(await store.find(sized(3))).toBeUndefined();
  });
});

describe('verify', () => {
  it('tells which files are right, wrong, missing or of an unknown checksum', async () => {
    await using bench = await StoreBench.open();
    layDown(bench.folder, A, { ...BOTH, 'broken.onnx': modelBytes(5000, 3), 'fake.gguf': modelBytes(5000, 4) });
    const base = join(bench.folder, 'models--some--model');
    const broken = join(base, 'blobs', sha256(modelBytes(5000, 3)));
    writeFileSync(broken, modelBytes(5000, 9));
    writeFileSync(join(base, 'snapshots', A, 'copy.txt'), 'x');
    const paths = [...Object.keys(BOTH), 'broken.onnx', 'fake.gguf', 'copy.txt', 'absent.onnx'];
    const files = paths.map((path) => ({ role: path, path }));
    const checks = await bench.store({ offline: true }).verify(anEntry(files, { revision: A }), signal);
    expect(checks.map(({ path, state }) => [path, state])).toEqual([
      ['onnx/encoder.onnx', 'right'],
      ['config.json', 'right'],
      ['broken.onnx', 'wrong'],
      ['fake.gguf', 'wrong'],
      ['copy.txt', 'unchecked'],
      ['absent.onnx', 'missing'],
    ]);
    expect(checks[2]?.why).toBe('its checksum is wrong');
    expect(checks[3]?.why).toMatch(/not a GGUF file/);
    const pinned = (known: object) => anEntry([{ role: 'c', path: 'copy.txt', ...known }], { revision: A });
    const one = async (known: object) => (await bench.store().verify(pinned(known), signal))[0];
    expect(await one({ sha256: sha256(Buffer.from('x')) })).toMatchObject({ state: 'right' });
    expect(await one({ sha256: sha256(Buffer.from('y')) })).toMatchObject({ state: 'wrong' });
    expect(await one({ bytes: 2 })).toMatchObject({ state: 'wrong', why: 'it has 1 bytes, not 2' });
  });
});

describe('remove', () => {
  it('leaves nothing of the model, and nothing at all of a repository that held only it', async () => {
    await using bench = await StoreBench.open();
    layDown(bench.folder, A, BOTH);
    layDown(bench.folder, B, BOTH);
    ref(bench.folder, A);
    writeFileSync(join(bench.folder, 'models--some--model/blobs', `${A}.incomplete`), 'half');
    expect(await bench.store({ offline: true }).remove(entry)).toBe(200_006);
    expect(existsSync(join(bench.folder, 'models--some--model'))).toBe(false);
  });

  it('leaves what other models and programs have', async () => {
    await using bench = await StoreBench.open();
    const same = { ...BOTH, 'same-bytes.onnx': LARGE, 'shared.txt': Buffer.from('shared') };
    layDown(bench.folder, A, same);
    layDown(bench.folder, B, { 'config.json': SMALL });
    ref(bench.folder, A);
    const shared = { role: 'shared', path: 'shared.txt' };
    const one = anEntry([...entry.files, shared]);
    const other = anEntry([shared]);
    expect(await bench.store().remove(one, [other])).toBe(2);
    const { repos, warnings } = await scanCacheDir(bench.folder);
    expect(warnings).toEqual([]);
    expect(repos[0]?.revisions.map(({ commitOid, refs }) => [commitOid, refs])).toEqual([[A, ['main']]]);
    const left = repos[0]!.revisions[0]!.files.map(({ path }) => path.split(`${A}/`)[1]).sort();
    expect(left).toEqual(['same-bytes.onnx', 'shared.txt']);
    expect(await bench.store().find(other)).toBeDefined();
  });
});
