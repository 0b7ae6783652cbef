import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClipStore } from '../../../src/server/video/clip-store.ts';
import { scratchFolder, settle } from '../../fixtures/video.ts';

const never = new AbortController().signal;
let scratch: Awaited<ReturnType<typeof scratchFolder>>;
beforeEach(async () => {
  scratch = await scratchFolder();
});
afterEach(() => scratch.remove());

const open = (keep = 20) => ClipStore.open(scratch.folder, keep);
const files = async () => (await readdir(scratch.folder, { recursive: true })).filter((name) => name.endsWith('.mp4'));

async function finished(store: ClipStore, text: string): Promise<string> {
  const clip = store.begin();
  clip.write(Buffer.from(text));
  await writeFile(clip.file, text);
  await clip.finish();
  return clip.id;
}

/** Reads a growing clip into a text that grows with it. */
function follow(store: ClipStore, id: string, signal = never): { text: string; end?: string } {
  const seen: { text: string; end?: string } = { text: '' };
  const clip = store.open(id);
  if (clip?.state !== 'growing') throw new Error('It does not grow.');
  void (async () => {
    try {
      for await (const bytes of clip.bytes(signal)) seen.text += Buffer.from(bytes).toString();
      seen.end = 'complete';
    } catch (error) {
      seen.end = (error as Error).message;
    }
  })();
  return seen;
}

describe('a clip that grows', () => {
  it('can be read by several from its beginning until it is complete, and then from its file', async () => {
    const store = await open();
    const clip = store.begin();
    clip.write(Buffer.from('a'));
    const early = follow(store, clip.id);
    await settle();
    expect(early).toEqual({ text: 'a' });
    clip.write(Buffer.from('b'));
    const late = follow(store, clip.id);
    await settle();
    expect([early.text, late.text]).toEqual(['ab', 'ab']);
    await writeFile(clip.file, 'whole');
    clip.write(Buffer.from('c'));
    await clip.finish();
    await settle();
    expect([early, late]).toEqual([
      { text: 'abc', end: 'complete' },
      { text: 'abc', end: 'complete' },
    ]);
    const whole = store.open(clip.id);
    if (whole?.state !== 'whole') throw new Error('It is not whole.');
    expect(whole.bytes).toBe(5);
    expect(await readFile(whole.file, 'utf8')).toBe('whole');
  });

  it('ends with an error for its readers when it is dropped, and leaves no file', async () => {
    const store = await open();
    const clip = store.begin();
    await writeFile(clip.file, 'half');
    const seen = follow(store, clip.id);
    await clip.drop();
    await settle();
    expect(seen.end).toContain('cut before');
    expect(store.open(clip.id)).toBeUndefined();
    // A worker that was slow to stop wrote it again.
    await writeFile(clip.file, 'late');
    await clip.finish();
    expect(store.open(clip.id)).toBeUndefined();
    await clip.drop();
    expect(await files()).toEqual([]);
  });

  it('leaves nothing of what a worker that was killed had begun, though that one died after the clip was dropped', async () => {
    const store = await open();
    const hung = store.begin();
    await hung.drop();
    await writeFile(`${hung.file}.1f.stream`, 'half');
    const next = store.begin();
    await writeFile(`${next.file}.2e.stream`, 'half of another one');
    await finished(store, 'whole');
    const left = await readdir(dirname(next.file));
    expect(left.filter((name) => name.endsWith('.stream'))).toEqual([`${next.id}.mp4.2e.stream`]);
    await next.drop();
    expect((await readdir(dirname(next.file))).filter((name) => name.endsWith('.stream'))).toEqual([]);
  });

  it('is let go of by a reader that leaves', async () => {
    const store = await open();
    const clip = store.begin();
    const leaving = new AbortController();
    const seen = follow(store, clip.id, leaving.signal);
    leaving.abort();
    await settle();
    clip.write(Buffer.from('a'));
    await settle();
    expect(seen).toEqual({ text: '', end: 'complete' });
  });

  it('is not taken for finished without a file, nor for a clip beyond all measure', async () => {
    const store = await open();
    const clip = store.begin();
    await expect(clip.finish()).rejects.toThrow('wrote no whole clip');
    const large = new Uint8Array(32 * 1024 * 1024);
    clip.write(large);
    clip.write(large);
    expect(() => clip.write(new Uint8Array(1))).toThrow('64 MiB');
  });
});

describe('finished clips', () => {
  it('are kept up to a number, the newest ones', async () => {
    const store = await open(2);
    const growing = store.begin();
    const ids = [await finished(store, '1'), await finished(store, '2'), await finished(store, '3')];
    expect(ids.map((id) => store.open(id)?.state)).toEqual([undefined, 'whole', 'whole']);
    expect((await files()).length).toBe(2);
    expect(store.open(growing.id)?.state).toBe('growing');
    await writeFile(growing.file, '4');
    await growing.finish();
    expect(ids.map((id) => store.open(id)?.state)).toEqual([undefined, undefined, 'whole']);
  });

  it('have names that cannot be guessed, in a folder that others cannot read', async () => {
    const store = await open();
    const ids = [await finished(store, '1'), await finished(store, '2')];
    for (const id of ids) expect(id).toMatch(/^[\w-]{22}$/);
    expect(ids[0]).not.toBe(ids[1]);
    const [own] = await readdir(join(scratch.folder, 'clips'));
    expect((await stat(join(scratch.folder, 'clips', own!))).mode & 0o777).toBe(0o700);
    for (const id of ['', '..', '../../etc/passwd', 'toString', ids[0]!.toLowerCase()]) {
      expect(store.open(id)).toBeUndefined();
    }
  });

  it('are gone when the store is closed, and at the next start what a killed server left', async () => {
    const orphan = join(scratch.folder, 'clips', 'run-999999999-abc');
    await mkdir(orphan, { recursive: true });
    await writeFile(join(orphan, 'x.mp4'), 'of a killed server');
    const other = join(scratch.folder, 'clips', `run-${process.ppid}-abc`);
    await mkdir(other, { recursive: true });
    await writeFile(join(other, 'y.mp4'), 'of a server that runs');
    const store = await open();
    expect(await files()).toEqual([join('clips', `run-${process.ppid}-abc`, 'y.mp4')]);
    await finished(store, '1');
    await store[Symbol.asyncDispose]();
    expect(await files()).toEqual([join('clips', `run-${process.ppid}-abc`, 'y.mp4')]);
  });
});
