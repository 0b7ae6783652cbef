import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../../src/bench/fake-hub.ts';
import type { PullProgress } from '../../../src/server/models/store-pull.ts';
import { anEntry, modelBytes, StoreBench } from '../../fixtures/model-store.ts';

const { signal } = new AbortController();
const quiet = () => {};
const LARGE = modelBytes(300_000);
const entry = anEntry([{ role: 'encoder', path: 'onnx/encoder.onnx' }]);
const PATH = 'onnx/encoder.onnx';

/** A hub with the model of `entry`, and the size of what a cut left of it. */
async function withModel() {
  const bench = await StoreBench.open();
  const commit = bench.hub.put('some/model', PATH, LARGE);
  const partial = join(bench.folder, 'models--some--model', 'blobs', `${sha256(LARGE)}.incomplete`);
  return Object.assign(bench, { commit, partial });
}

describe('a download', () => {
  it('brings the named files and no others, and answers where they lie', async () => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', PATH, LARGE);
    bench.hub.put('some/model', 'tokens.txt', Buffer.from('a 0\n'));
    bench.hub.put('some/model', 'training.onnx', LARGE.subarray(1000));
    bench.hub.put('voices/espeak', 'espeak-ng-data/phontab', Buffer.from('1'));
    bench.hub.put('voices/espeak', 'espeak-ng-data/lang/gmw/en', Buffer.from('2'));
    bench.hub.put('voices/espeak', 'espeak-ng-data/empty', Buffer.alloc(0));
    const shared = (path: string) => ({ role: 'espeak', repo: 'voices/espeak', path: `espeak-ng-data/${path}` });
    const [model] = await bench
      .store()
      .pull(
        [
          anEntry([
            { role: 'encoder', path: PATH },
            { role: 'tokens', path: 'tokens.txt' },
            ...['phontab', 'lang/gmw/en', 'empty'].map(shared),
          ]),
        ],
        quiet,
        signal,
      );
    expect(readFileSync(model!.files.encoder!)).toEqual(LARGE);
    expect(readFileSync(model!.files.tokens!, 'utf8')).toBe('a 0\n');
    expect(readFileSync(join(model!.files.espeak!, 'phontab'), 'utf8')).toBe('1');
    expect(readFileSync(join(model!.files.espeak!, 'lang/gmw/en'), 'utf8')).toBe('2');
    expect(model!.bytes).toBe(LARGE.length + 6);
    expect(bench.hub.served.map(({ path }) => path).sort()).not.toContain('training.onnx');
    // A second time nothing is asked.
    const requests = bench.hub.requests.length;
    expect(await bench.store().pull([model!.entry], quiet, signal)).toEqual([model]);
    expect(bench.hub.requests.length).toBe(requests);
  });

  it('tells its progress, which ends at the whole', async () => {
    await using bench = await withModel();
    const seen: number[] = [];
    let last: PullProgress | undefined;
    const onProgress = (progress: PullProgress) => {
      last = progress;
      seen.push(progress.bytes);
    };
    await bench.store().pull([entry], onProgress, signal);
    expect(seen.length).toBeGreaterThan(3);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(last).toMatchObject({ bytes: 300_000, totalBytes: 300_000, files: [{ path: PATH, state: 'done' }] });
  });

  it('that any sequence of cuts interrupts ends in the same bytes, and never starts over', async () => {
    const cuts = fc.array(fc.integer({ min: 0, max: 299_999 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (cuts, lfs) => {
        await using bench = await StoreBench.open();
        bench.hub.put('some/model', PATH, LARGE, { lfs });
        for (const afterBytes of cuts) bench.hub.next('file', { kind: 'cut', afterBytes });
        const store = bench.store();
        // Cuts that bring nothing are borne a few times only; pulling again goes on.
        let model = await store.pull([entry], quiet, signal).catch(() => undefined);
        for (let i = 0; !model && i < 4; i++) model = await store.pull([entry], quiet, signal).catch(() => undefined);
        expect(readFileSync(model![0]!.files.encoder!).equals(LARGE)).toBe(true);
        for (const { from, bytes } of bench.hub.served) expect(from + bytes).toBeLessThanOrEqual(LARGE.length);
        const starts = bench.hub.served.map(({ from }) => from);
        expect(starts).toEqual([...starts].sort((a, b) => a - b));
      }),
      { numRuns: 25 },
    );
  });

  it('that is stopped leaves what came, and the next goes on from there', async () => {
    await using bench = await withModel();
    bench.hub.next('file', { kind: 'hang', afterBytes: 100_000 });
    const stop = new AbortController();
    const onProgress = ({ bytes }: PullProgress) => bytes === 100_000 && stop.abort(new Error('stopped by the user'));
    await expect(bench.store().pull([entry], onProgress, stop.signal)).rejects.toThrow('stopped by the user');
    expect(statSync(bench.partial).size).toBe(100_000);
    expect(await bench.store().find(entry)).toBeUndefined();
    expect(await bench.store().missing([entry], signal)).toEqual({ bytes: 200_000, files: 1 });
    await bench.store().pull([entry], quiet, signal);
    expect(bench.hub.served.map(({ from }) => from)).toEqual([0, 100_000]);
    expect(existsSync(bench.partial)).toBe(false);
  });

  it('takes a silent connection for a dropped one', async () => {
    await using bench = await withModel();
    bench.hub.next('file', { kind: 'hang', afterBytes: 50_000 });
    await bench.store({ stallMs: 300 }).pull([entry], quiet, signal);
    expect(bench.hub.served.map(({ from }) => from)).toEqual([0, 50_000]);
  });

  it('gives up with what came kept when the connection drops again and again', async () => {
    await using bench = await withModel();
    bench.hub.next('file', { kind: 'cut', afterBytes: 150_000 });
    for (let i = 0; i < 6; i++) bench.hub.next('file', { kind: 'status', status: 503 });
    await expect(bench.store().pull([entry], quiet, signal)).rejects.toThrow(
      /some\/model\/onnx\/encoder\.onnx stopped at 0\.[01]\d* of 0\.3 MB: .* status 503.*pull again to go on/,
    );
    expect(statSync(bench.partial).size).toBeGreaterThan(0);
  });

  it('waits longer each time, and as long as the server says', async () => {
    await using bench = await withModel();
    for (let i = 0; i < 3; i++) bench.hub.next('file', { kind: 'status', status: 500 });
    bench.hub.next('file', { kind: 'status', status: 429, headers: { 'retry-after': '77' } });
    bench.hub.next('api', { kind: 'status', status: 429, headers: { 'retry-after': '55' } });
    await bench.store().pull([entry], quiet, signal);
    const [first, ...rest] = bench.pauses;
    expect(first).toBe(55_000);
    expect(rest[3]).toBe(77_000);
    expect(rest[1]).toBeGreaterThan(rest[0]!);
    expect(rest[2]).toBeGreaterThan(rest[1]!);
    expect(rest).toHaveLength(4);
    expect(bench.log).toEqual([55, 77].map((s) => `${bench.hub.url} does not serve now; trying again in ${s} s.`));
  });

  it('goes on where the server knows no ranges', async () => {
    await using bench = await withModel();
    bench.hub.next('file', { kind: 'hang', afterBytes: 200_000 });
    const stop = new AbortController();
    const stopAt = ({ bytes }: PullProgress) => bytes === 200_000 && stop.abort();
    await expect(bench.store().pull([entry], stopAt, stop.signal)).rejects.toThrow();
    bench.hub.next('file', { kind: 'no-ranges' });
    const seen: number[] = [];
    const [model] = await bench.store().pull([entry], ({ bytes }) => seen.push(bytes), signal);
    expect(Math.min(...seen)).toBe(200_000);
    expect(readFileSync(model!.files.encoder!).equals(LARGE)).toBe(true);
    expect(bench.hub.served.map(({ from }) => from)).toEqual([0, 0]);
    // Ranges count the bytes of the file, not of a compressed form.
    const encodings = bench.hub.requests
      .filter(({ line }) => /resolve|cdn/.test(line))
      .map(({ headers }) => headers['accept-encoding']);
    expect(encodings).toEqual(['identity', 'identity', 'identity', 'identity']);
  });

  it.each([true, false])('never glues a changed file to an old half (large: %s)', async (lfs) => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', PATH, LARGE, { lfs });
    bench.hub.next('file', { kind: 'hang', afterBytes: 100_000 });
    const changed = modelBytes(310_000, 2);
    const stop = new AbortController();
    const store = bench.store();
    const onProgress = ({ bytes }: PullProgress) => bytes === 100_000 && stop.abort();
    await expect(store.pull([entry], onProgress, stop.signal)).rejects.toThrow();
    bench.hub.put('some/model', PATH, changed, { lfs });
    const [model] = await store.pull([entry], quiet, signal);
    expect(readFileSync(model!.files.encoder!).equals(changed)).toBe(true);
  });

  it.each([true, false])('begins anew when the file changes between its halves (large: %s)', async (lfs) => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', PATH, LARGE, { lfs });
    bench.hub.next('file', { kind: 'cut', afterBytes: 100_000 });
    const changed = modelBytes(LARGE.length, 2);
    // The pause after the cut is when it changes.
    const pause = async () => void bench.hub.put('some/model', PATH, changed, { lfs });
    const [model] = await bench.store({ pause }).pull([entry], quiet, signal);
    expect(readFileSync(model!.files.encoder!).equals(changed)).toBe(true);
    const blobs = readdirSync(join(bench.folder, 'models--some--model', 'blobs'));
    expect(blobs).toHaveLength(1);
  });

  it('throws wrong bytes away and fetches them once more', async () => {
    await using bench = await withModel();
    bench.hub.next('file', { kind: 'wrong-byte', at: 123_456 });
    const [model] = await bench.store().pull([entry], quiet, signal);
    expect(readFileSync(model!.files.encoder!).equals(LARGE)).toBe(true);
    expect(bench.hub.served).toHaveLength(2);
  });

  it('of wrong bytes that come twice ends with a sentence and leaves nothing', async () => {
    await using bench = await withModel();
    for (const at of [1000, 2000]) bench.hub.next('file', { kind: 'wrong-byte', at });
    await expect(bench.store().pull([entry], quiet, signal)).rejects.toThrow(/twice with a wrong checksum/);
    expect(existsSync(bench.partial)).toBe(false);
    expect(await bench.store().find(entry)).toBeUndefined();
  });

  it('checks small files by their git digest', async () => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', 'tokens.txt', Buffer.from('hello 1\n'));
    for (const at of [0, 3]) bench.hub.next('file', { kind: 'wrong-byte', at });
    const small = anEntry([{ role: 'tokens', path: 'tokens.txt' }]);
    await expect(bench.store().pull([small], quiet, signal)).rejects.toThrow(/twice with a wrong checksum/);
  });

  it.each([
    [{ sha256: '0'.repeat(64) }, 'main'],
    [{ bytes: 299_999 }, ''],
  ])('refuses what the manifest does not name: %j', async (known, revision) => {
    await using bench = await withModel();
    const pinned = anEntry([{ ...entry.files[0]!, ...known }], { revision: revision || bench.commit });
    await expect(bench.store().pull([pinned], quiet, signal)).rejects.toThrow(/other bytes .* than the manifest/);
    expect(bench.hub.served).toEqual([]);
  });

  it('refuses a small file whose bytes the manifest does not name', async () => {
    await using bench = await StoreBench.open();
    bench.hub.put('some/model', 'tokens.txt', Buffer.from('hello 1\n'));
    const named = (bytes: string) =>
      anEntry([{ role: 'tokens', path: 'tokens.txt', sha256: sha256(Buffer.from(bytes)) }]);
    await expect(bench.store().pull([named('other')], quiet, signal)).rejects.toThrow(
      /other bytes .* than the manifest/,
    );
    expect(bench.hub.served).toHaveLength(1);
    await bench.store().pull([named('hello 1\n')], quiet, signal);
  });

  it('does not begin when the disk is too small for what is missing and a twentieth', async () => {
    await using bench = await withModel();
    await expect(bench.store({ freeBytes: async () => 314_999 }).pull([entry], quiet, signal)).rejects.toThrow(
      /0\.00 GB free.*Free 0\.00 GB, or set models\.folder/,
    );
    expect(bench.hub.served).toEqual([]);
    bench.hub.next('file', { kind: 'hang', afterBytes: 200_000 });
    const stop = new AbortController();
    const onProgress = ({ bytes }: PullProgress) => bytes === 200_000 && stop.abort();
    await expect(bench.store().pull([entry], onProgress, stop.signal)).rejects.toThrow();
    // Two thirds are here: the rest fits.
    await bench.store({ freeBytes: async () => 105_000 }).pull([entry], quiet, signal);
  });

  it('asks for a token where one is wanted, and sends it to the hub only', async () => {
    await using bench = await withModel();
    bench.hub.gate('some/model', 'the-right-one');
    const page = `${bench.hub.url}/some/model`;
    await expect(bench.store().pull([entry], quiet, signal)).rejects.toThrow(
      new RegExp(
        `status 401\\)\\. No token is set: accept the model's licence at ${page}.*models\\.token in config\\.yml`,
      ),
    );
    await expect(bench.store({ token: 'a-wrong-one' }).pull([entry], quiet, signal)).rejects.toThrow(
      /status 403\)\. The token in models\.token has no access/,
    );
    bench.hub.next('api', { kind: 'status', status: 401 });
    await expect(bench.store({ token: 'a-wrong-one' }).pull([entry], quiet, signal)).rejects.toThrow(
      /does not accept the token in models\.token .*correct it in config\.yml/,
    );
    const before = bench.hub.requests.length;
    await bench.store({ token: 'the-right-one' }).pull([entry], quiet, signal);
    const sent = bench.hub.requests.slice(before);
    expect(sent.map(({ line, headers }) => [line.includes('/cdn/'), headers.authorization])).toEqual([
      ...sent.slice(1).map(() => [false, 'Bearer the-right-one']),
      [true, undefined],
    ]);
  });

  it.each([
    [anEntry([{ role: 'a', path: 'no-such.onnx' }]), /no no-such\.onnx in some\/model at revision/],
    [anEntry([{ role: 'a', path: PATH }], { repo: 'no/such' }), /no repository in no\/such at revision main/],
    [anEntry([{ role: 'a', path: PATH }], { revision: 'f'.repeat(40) }), /in some\/model at revision f{40}/],
    [anEntry([{ role: 'a', path: '../../escape.onnx' }]), /no file inside its repository/],
    [anEntry([{ role: 'a', path: '/etc/passwd.txt' }]), /no file inside its repository/],
    [anEntry([{ role: 'a', path: 'a\\..\\b.onnx' }]), /no file inside its repository/],
    [anEntry([{ role: 'a', path: PATH }], { repo: '../other' }), /not the name of a repository/],
    [anEntry([{ role: 'a', path: PATH }], { revision: '../../x' }), /not a commit, branch or tag/],
    [anEntry([{ role: 'a', path: 'pytorch_model.bin' }]), /only ONNX, GGUF, safetensors/],
    [anEntry([{ role: 'a', path: 'model.pt' }]), /only ONNX, GGUF, safetensors/],
    [anEntry([{ role: 'a', path: 'modeling.py' }]), /only ONNX, GGUF, safetensors/],
  ])('says what is wrong with %#', async (wrong, sentence) => {
    await using bench = await withModel();
    await expect(bench.store().pull([wrong], quiet, signal)).rejects.toThrow(sentence);
    expect(bench.hub.served).toEqual([]);
  });

  it('refuses a pickle, whatever its name', async () => {
    await using bench = await StoreBench.open();
    const pickle = Buffer.concat([Buffer.from([0x80, 0x04, 0x95]), Buffer.alloc(200)]);
    bench.hub.put('some/model', 'voices.bin', pickle);
    const voices = anEntry([{ role: 'voices', path: 'voices.bin' }]);
    await expect(bench.store().pull([voices], quiet, signal)).rejects.toThrow(/voices\.bin is refused: .*pickle/);
    expect(await bench.store().find(voices)).toBeUndefined();
    expect(readdirSync(join(bench.folder, 'models--some--model', 'blobs'))).toEqual([]);
  });

  it('brings a pickle that our own reader alone opens, and no other of its kind', async () => {
    await using bench = await StoreBench.open();
    const pickle = Buffer.concat([Buffer.from([0x80, 0x02, 0x7d]), Buffer.alloc(200)]);
    bench.hub.put('some/model', 'unet.pth', pickle);
    const restricted = anEntry([{ role: 'unet', path: 'unet.pth', restricted: true }]);
    const other = anEntry([{ role: 'unet', path: 'unet.pth' }]);
    await expect(bench.store().pull([other], quiet, signal)).rejects.toThrow(/unet\.pth is not fetched/);
    await bench.store().pull([restricted], quiet, signal);
    expect((await bench.store().find(restricted))?.files.unet).toMatch(/unet\.pth$/);
  });

  it('asks nothing when it is to stay offline', async () => {
    await using bench = await withModel();
    const store = bench.store({ offline: true });
    await expect(store.pull([entry], quiet, signal)).rejects.toThrow('tiny cannot be fetched: models.offline is true');
    expect(await store.reachable(signal)).toMatch(/models\.offline is true/);
    expect(await store.missing([{ ...entry, totalBytes: 5000 }], signal)).toEqual({ bytes: 5000, files: 1 });
    expect(bench.hub.requests).toEqual([]);
  });

  it('tells why a hub cannot be reached', async () => {
    const bench = await StoreBench.open();
    expect(await bench.store().reachable(signal)).toBeUndefined();
    bench.hub.next('api', { kind: 'status', status: 403 });
    expect(await bench.store().reachable(signal)).toBe(`${bench.hub.url} answers with status 403.`);
    const { url } = bench.hub;
    await bench[Symbol.asyncDispose]();
    expect(await bench.store({ hub: url }).reachable(signal)).toMatch(/^http:\S+ cannot be reached \(\w+\)\.$/);
    await expect(bench.store({ hub: url }).pull([entry], quiet, signal)).rejects.toThrow(
      /could not be asked about some\/model/,
    );
  });

  it('says so when something else than a hub answers', async () => {
    await using bench = await withModel();
    const fetch = async () => new Response('<html>Please log in</html>');
    await expect(bench.store({ fetch }).pull([entry], quiet, signal)).rejects.toThrow(
      /does not answer as a model hub does/,
    );
  });

  it('says so when the folder cannot be written, for whatever reason', async () => {
    await using bench = await withModel();
    writeFileSync(join(bench.folder, 'a-file'), '');
    for (const name of ['a-file', 'n'.repeat(300)]) {
      const store = bench.store({ folder: join(bench.folder, name) });
      await expect(store.pull([entry], quiet, signal)).rejects.toThrow(`${name} cannot be written`);
      await expect(store.pull([entry], quiet, signal)).rejects.toThrow('set models.folder');
    }
  });
});

describe('what is missing', () => {
  it('is counted without the network where the manifest knows it, and what several models share only once', async () => {
    await using bench = await withModel();
    const file = { ...entry.files[0]!, bytes: 300_000, sha256: sha256(LARGE) };
    const one = anEntry([file], { revision: bench.commit });
    const two = anEntry([file, { role: 'b', path: 'b.onnx', bytes: 7 }], { id: 'two', revision: bench.commit });
    const store = bench.store();
    expect(await store.missing([one, two], signal)).toEqual({ bytes: 300_007, files: 2 });
    expect(bench.hub.requests).toEqual([]);
    bench.hub.next('file', { kind: 'hang', afterBytes: 100_000 });
    const stop = new AbortController();
    const onProgress = ({ bytes }: PullProgress) => bytes === 100_000 && stop.abort();
    await expect(store.pull([one], onProgress, stop.signal)).rejects.toThrow();
    expect(await store.missing([one, two], signal)).toEqual({ bytes: 200_007, files: 2 });
    await store.pull([one], quiet, signal);
    expect(await store.missing([one, two], signal)).toEqual({ bytes: 7, files: 1 });
  });

  it('is asked of the hub where the manifest does not know it', async () => {
    await using bench = await withModel();
    expect(await bench.store().missing([entry], signal)).toEqual({ bytes: 300_000, files: 1 });
    bench.hub.put('some/model', 'b.onnx', LARGE.subarray(0, 1000));
    expect(await bench.store().missing([entry, { ...entry, id: 'same' }], signal)).toEqual({
      bytes: 300_000,
      files: 1,
    });
  });
});

describe('two downloads at the same time', () => {
  it('fetch each file once', async () => {
    await using bench = await withModel();
    const other = { ...entry, id: 'other' };
    const both = await Promise.all([
      bench.store().pull([entry], quiet, signal),
      bench.store().pull([other], quiet, signal),
    ]);
    for (const [model] of both) expect(readFileSync(model!.files.encoder!).equals(LARGE)).toBe(true);
    expect(bench.hub.bytesServed).toBe(LARGE.length);
    expect(bench.log.join()).toMatch(
      /^(Another download of some\/model\/onnx\/encoder\.onnx is going on; waiting for it\.)?$/,
    );
  });
});
