import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AvatarStore } from '../../../src/server/video/avatars/avatar-store.ts';
import { AVATAR_SIZE } from '../../../src/server/video/avatars/frame-face.ts';
import { type Face, type Point, VideoError } from '../../../src/server/video/contracts.ts';
import { findFaces } from '../../../src/server/video/faces/find-faces.ts';
import { writePng } from '../../../src/server/video/pictures/png.ts';
import { readPicture } from '../../../src/server/video/pictures/read-picture.ts';

let folder: string;
let warned: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'avatars-'));
  warned = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (first = '') => AvatarStore.open({ folder, first, warn: (message) => void warned.push(message) });

/** A picture of one colour, and the face of a preset. */
async function imported(grey: number) {
  const [preset] = await (await open()).list();
  const png = await writePng({ width: 4, height: 4, rgb: new Uint8Array(48).fill(grey) });
  return { ok: true as const, png, face: preset!.face };
}

describe('the avatars on the disk', () => {
  it('has the presets, the first of which is the face', async () => {
    const store = await open();
    const avatars = await store.list();
    expect(avatars.map(({ name }) => name)).toEqual(['Mara', 'Elias', 'Jun', 'Zola']);
    expect(avatars.every(({ preset }) => preset)).toBe(true);
    expect((await store.current()).name).toBe('Mara');
  });

  it('takes the face of the settings, by a preset’s key or an id, until one is chosen', async () => {
    const { id } = (await (await open()).list())[3]!;
    expect((await (await open('jun')).current()).name).toBe('Jun');
    expect((await (await open(id)).current()).name).toBe('Zola');
    await (await open()).choose('elias');
    expect((await (await open('jun')).current()).name).toBe('Elias');
    expect(warned).toEqual([]);
  });

  it('says that the face of the settings is not there', async () => {
    expect((await (await open('nobody')).current()).name).toBe('Mara');
    expect(warned).toEqual(['There is no avatar "nobody" (video.avatar); taking a preset.']);
  });

  it('keeps what is added, under an id of its content, and its name clean', async () => {
    const store = await open();
    const picture = await imported(90);
    const avatar = await store.add(picture, '  My\n\tcousin  ');
    expect(avatar).toMatchObject({ name: 'My cousin', preset: false, face: picture.face });
    expect(new Uint8Array(await readFile(avatar.pictureFile))).toEqual(new Uint8Array(picture.png));
    const other = await store.add(await imported(91), 'x'.repeat(100));
    expect(other.id).not.toBe(avatar.id);
    expect(other.name).toHaveLength(60);
    expect((await store.add(picture, 'Cousin')).id).toBe(avatar.id);
    const own = (await (await open()).list()).filter(({ preset }) => !preset);
    expect(own.map(({ name }) => name).sort()).toEqual(['Cousin', 'x'.repeat(60)]);
  });

  it('removes what was added, and then shows a preset again', async () => {
    const store = await open();
    const avatar = await store.add(await imported(90), 'A');
    await writeFile(join(avatar.folder, 'derived.bin'), 'x');
    await store.choose(avatar.id);
    expect((await store.current()).id).toBe(avatar.id);
    await store.remove(avatar.id);
    expect((await store.current()).name).toBe('Mara');
    expect(await store.get(avatar.id)).toBeUndefined();
    expect(await readdir(join(folder, 'v1'))).not.toContain(avatar.id);
    await expect(store.remove(avatar.id)).rejects.toThrow(VideoError);
    await expect(store.choose(avatar.id)).rejects.toThrow(/There is no avatar/);
  });

  it('deletes at the next start what was removed only half', async () => {
    await open();
    await mkdir(join(folder, 'v1', 'removed-1', 'loops'), { recursive: true });
    await open();
    expect(await readdir(join(folder, 'v1'))).not.toContain('removed-1');
  });

  it('does not remove presets', async () => {
    const store = await open();
    await expect(store.remove('jun')).rejects.toThrow('Jun comes with voice-chat and cannot be removed.');
    expect(await store.get('jun')).toBeDefined();
  });

  it('leaves damaged entries out, says so once, and knows nothing of other versions', async () => {
    const store = await open();
    const avatar = await store.add(await imported(90), 'A');
    await writeFile(join(avatar.folder, 'avatar.json'), '{"name":"A"}');
    await mkdir(join(folder, 'v2', '0123456789abcdef'), { recursive: true });
    await mkdir(join(folder, 'v1', '0123456789abcdef'));
    expect(await store.list()).toHaveLength(4);
    expect(await store.list()).toHaveLength(4);
    expect(warned).toHaveLength(1);
    expect(warned[0]).toContain(avatar.id);
    expect((await store.add(await imported(90), 'B')).name).toBe('B');
  });

  it('is mended when a preset or the choice is damaged', async () => {
    const [preset] = await (await open()).list();
    await rm(preset!.pictureFile);
    await writeFile(join(folder, 'v1', 'current.json'), 'null');
    const store = await open();
    expect(await store.list()).toHaveLength(4);
    expect((await store.current()).id).toBe(preset!.id);
    expect(warned).toEqual([]);
  });

  it('lets several stores work in the same folder at once', async () => {
    const stores = await Promise.all([1, 2, 3, 4].map(() => open()));
    const pictures = await Promise.all([10, 20, 30].map(imported));
    await Promise.all(stores.flatMap((store, i) => pictures.map((picture) => store.add(picture, `store ${i}`))));
    await Promise.all(stores.map((store, i) => store.choose(['mara', 'jun', 'zola', 'elias'][i]!)));
    for (const store of stores) expect(await store.list()).toHaveLength(7);
    expect(['Mara', 'Jun', 'Zola', 'Elias']).toContain((await stores[0]!.current()).name);
    const left = await readdir(join(folder, 'v1'), { recursive: true });
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    expect(warned).toEqual([]);
  });

  it('says so when a face or the choice cannot be kept', async () => {
    const store = await open();
    await mkdir(join(folder, 'v1', 'current.json', 'in-the-way'), { recursive: true });
    await expect(store.choose('jun')).rejects.toThrow(VideoError);
    const picture = await imported(7);
    await rm(join(folder, 'v1'), { recursive: true });
    await writeFile(join(folder, 'v1'), '');
    await expect(store.add(picture, 'Me')).rejects.toThrow(/could not be kept .*cache\.folder/);
  });

  it('says what to do where it cannot write', async () => {
    await writeFile(join(folder, 'file'), '');
    const store = AvatarStore.open({ folder: join(folder, 'file'), first: '', warn: () => {} });
    await expect(store).rejects.toThrow(/cannot be written; mend its rights or change cache.folder/);
  });
});

describe('the presets', () => {
  it('are small square pictures with lips that a mouth can be made of', async () => {
    for (const { pictureFile, face } of await (await open()).list()) {
      const bytes = await readFile(pictureFile);
      expect(bytes.length).toBeLessThan(150_000);
      expect(await readPicture(bytes)).toMatchObject({ width: AVATAR_SIZE, height: AVATAR_SIZE });
      const ys = face.outerLips.map(({ y }) => y);
      const lips = (Math.max(...ys) - Math.min(...ys)) / AVATAR_SIZE;
      expect(lips).toBeGreaterThan(0.06);
      expect(lips).toBeLessThan(0.09);
    }
  });

  it('have their faces where their files say, as the face finder sees it', async () => {
    for (const { name, pictureFile, face } of await (await open()).list()) {
      const found = await findFaces(await readPicture(await readFile(pictureFile)));
      expect(found, name).toHaveLength(1);
      for (const part of ['outerLips', 'innerLips', 'leftEye', 'rightEye'] as const) {
        expect(found[0]![part]).toHaveLength(face[part].length);
        expect(apart(found[0]![part], face[part]), `${name}: ${part}`).toBeLessThan(12);
      }
      expect(found[0]!.jaw).toHaveLength(face.jaw.length);
      expect(beside(found[0]!.jaw, face.jaw), `${name}: jaw`).toBeLessThan(12);
    }
  });
});

/** The mean distance of points that belong together, in pixels. */
const apart = (some: Face['jaw'], others: readonly Point[]): number =>
  some.reduce((sum, { x, y }, i) => sum + Math.hypot(x - others[i]!.x, y - others[i]!.y), 0) / some.length;

/** The mean distance of points from the nearest of the others: along a jaw it does not matter where they begin. */
const beside = (some: Face['jaw'], others: readonly Point[]): number =>
  some.reduce((sum, { x, y }) => sum + Math.min(...others.map((one) => Math.hypot(x - one.x, y - one.y))), 0) /
  some.length;
