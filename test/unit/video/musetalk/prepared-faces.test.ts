import { cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type BaseClip, VideoError } from '../../../../src/server/video/contracts.ts';
import { cropAround } from '../../../../src/server/video/lip-sync/musetalk/pictures/crop-around.ts';
import { faceMask } from '../../../../src/server/video/lip-sync/musetalk/pictures/face-mask.ts';
import { parserInput } from '../../../../src/server/video/lip-sync/musetalk/pictures/parser-input.ts';
import { resizeLanczos4 } from '../../../../src/server/video/lip-sync/musetalk/pictures/resize-lanczos4.ts';
import { KeptFaces } from '../../../../src/server/video/lip-sync/musetalk/prepare/kept-faces.ts';
import { type PreparedFace, prepareFace } from '../../../../src/server/video/lip-sync/musetalk/prepare/prepare-face.ts';
import {
  openFaces,
  type PreparedFacesSettings,
} from '../../../../src/server/video/lip-sync/musetalk/prepare/prepared-faces.ts';
import { clipOf, networks, REACH } from '../../../fixtures/musetalk/prepare-world.ts';

const signal = new AbortController().signal;
const settings: PreparedFacesSettings = { mask: 'raw', margin: 5, version: 'one' };
const PLACES = [
  [40, 40],
  [44, 42],
  [48, 44],
] as const;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voice-chat-faces-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

type Networks = Parameters<typeof openFaces>[1];
const facesOf = async (clip: BaseClip, by: Networks = networks(), kept?: KeptFaces, of = settings) => {
  const faces = await openFaces(clip, by, of, kept);
  return Promise.all(Array.from({ length: clip.frames }, (_, i) => faces.face(i, signal)));
};
const plain = ({ box, latents, mask }: PreparedFace) => ({
  box,
  latents: [...latents],
  mask: { box: mask.box, alpha: Buffer.from(mask.alpha).toString('base64') },
});
const cached = async () => {
  const [name, ...others] = await readdir(folder);
  expect(others).toEqual([]);
  expect(name).toMatch(/^musetalk-[0-9a-f]{16}$/);
  return join(folder, name!);
};

describe('a prepared face', () => {
  it('is what the networks make of its box, found in the picture', async () => {
    const clip = clipOf(PLACES);
    const picture = await clip.picture(1);
    const seen: { face?: Uint8Array; parsed?: Float32Array; classes?: Uint8Array } = {};
    const by = networks();
    const spy: typeof by = {
      ...by,
      latents: (face, until) => by.latents((seen.face = face), until),
      parse: async (input, until) => (seen.classes = await by.parse((seen.parsed = input), until)),
    };
    // The known box lies a little beside what the networks find.
    const face = await prepareFace(spy, picture, { x: 20, y: 20, width: 50, height: 50 }, settings, signal);
    expect(Math.abs(face.box.x - (44 - REACH))).toBeLessThanOrEqual(1);
    expect(Math.abs(face.box.y - (42 - REACH))).toBeLessThanOrEqual(1);
    expect(Math.abs(face.box.width - 2 * REACH)).toBeLessThanOrEqual(2);
    expect(Math.abs(face.box.height - 2 * REACH - settings.margin)).toBeLessThanOrEqual(2);
    expect(by.asked).toEqual({ pose: 2, latents: 1, parse: 1 });
    const crop = cropAround(face.box);
    expect(Buffer.compare(seen.face!, resizeLanczos4(picture, face.box, 256, 256).rgb)).toBe(0);
    expect(Buffer.compare(bytes(seen.parsed!), bytes(parserInput(picture, crop)))).toBe(0);
    expect(face.mask).toEqual(faceMask(seen.classes!, crop, face.box, 'raw'));
    expect(face.mask.alpha.some((alpha) => alpha > 0)).toBe(true);
    expect([...face.latents]).toEqual([...(await by.latents(seen.face!, signal))]);
  });

  it('is the known one where another is found', async () => {
    const picture = await clipOf([[24, 24]]).picture(0);
    const known = { x: 55.4, y: 50, width: 30, height: 30.2 };
    const face = await prepareFace(networks(), picture, known, settings, signal);
    expect(face.box).toEqual({ x: 55, y: 50, width: 30, height: 35 });
  });
});

const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);

describe('the prepared faces of a clip with a folder', () => {
  it('are made once and then read, the same as they were', async () => {
    const clip = clipOf(PLACES, folder);
    const told: number[] = [];
    const by = networks();
    const faces = await openFaces(clip, by, settings);
    await faces.prepareAll((done) => told.push(done), signal);
    expect(by.asked).toEqual({ pose: 6, latents: 3, parse: 3 });
    expect(told.at(-1)).toBe(1);
    expect(told).toEqual([...told].sort((a, b) => a - b));
    expect(told.length).toBeGreaterThan(3);
    const fresh = await facesOf(clipOf(PLACES));
    expect((await Promise.all([0, 1, 2].map((i) => faces.face(i, signal)))).map(plain)).toEqual(fresh.map(plain));

    const idle = networks();
    expect((await facesOf(clip, idle)).map(plain)).toEqual(fresh.map(plain));
    const again = await openFaces(clip, idle, settings);
    await again.prepareAll((done) => told.push(done), signal);
    expect(told.at(-1)).toBe(1);
    expect(idle.asked).toEqual({ pose: 0, latents: 0, parse: 0 });
    await cached();
  });

  it('are made by whoever asks for the first one, for all that ask meanwhile', async () => {
    const by = networks();
    expect(await facesOf(clipOf(PLACES, folder), by)).toHaveLength(3);
    expect(by.asked.latents).toBe(3);
    await cached();
  });

  it('are made once for frames that come back', async () => {
    const clip = clipOf([...PLACES, [52, 46]], folder, true);
    const by = networks();
    // None are held: whether frames are alike must be known without.
    const faces = await facesOf(clip, by, new KeptFaces(0));
    expect(by.asked.latents).toBe(4);
    expect(plain(faces[5]!)).toEqual(plain(faces[1]!));
    expect(plain(faces[4]!)).toEqual(plain(faces[2]!));
    expect(faces[1]!.box).not.toEqual(faces[2]!.box);
    const { size } = await readFile(join(await cached(), 'faces.raw')).then(({ length }) => ({ size: length }));
    const of = faces.slice(0, 4).reduce((sum, { mask }) => sum + 2 * 8 * 32 * 32 + mask.alpha.length, 0);
    expect(size).toBe(of);
  });

  const damages: [string, (made: string) => Promise<unknown>][] = [
    ['its numbers are cut', (made) => truncate(join(made, 'faces.raw'), 20_000)],
    ['its numbers are gone', (made) => rm(join(made, 'faces.raw'))],
    ['its facts are cut', (made) => truncate(join(made, 'faces.json'), 100)],
    ['its facts are of another kind', (made) => writeFile(join(made, 'faces.json'), '{"format":1}')],
    ['its facts are of another format', (made) => edit(made, (facts) => ({ ...facts, format: 0 }))],
    ['it is of pictures of another size', (made) => edit(made, (facts) => ({ ...facts, width: 97 }))],
    ['it is of fewer frames', (made) => edit(made, (facts) => ({ ...facts, frames: facts.frames.slice(1) }))],
    ['a frame has a face that is not there', (made) => edit(made, (facts) => ({ ...facts, frames: [0, 1, 3] }))],
    ['a box lies outside the picture', (made) => edit(made, (facts) => (facts.faces[1]!.box.x = 80) && facts)],
    ['it is of another clip', (made) => edit(made, (facts) => ({ ...facts, middle: 'another' }))],
  ];
  type Facts = { frames: number[]; faces: { box: { x: number } }[] };
  const edit = async (made: string, change: (facts: Facts) => object) => {
    const path = join(made, 'faces.json');
    await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as Facts)));
  };

  describe('that is damaged', () => {
    let sound: string;
    const kept = new KeptFaces();
    beforeAll(async () => {
      sound = await mkdtemp(join(tmpdir(), 'voice-chat-faces-sound-'));
      await facesOf(clipOf(PLACES, sound), networks(), kept);
    });
    afterAll(() => rm(sound, { recursive: true, force: true }));

    it.each(damages)('are made anew where %s', async (_, damage) => {
      await cp(sound, folder, { recursive: true });
      const clip = clipOf(PLACES, folder);
      const before = await read(clip);
      expect(before).toHaveLength(3);
      await damage(await cached());
      expect(await read(clip)).toEqual([]);
      await (await openFaces(clip, networks(), settings, kept)).prepareAll(() => {}, signal);
      expect(await read(clip)).toEqual(before);
      await cached();
    });
  });

  /** What can be read, when nothing can be made. */
  async function read(clip: BaseClip) {
    const broken = { ...networks(), pose: () => Promise.reject(new VideoError('It was asked.')) };
    try {
      return (await facesOf(clip, broken)).map(plain);
    } catch {
      return [];
    }
  }

  it('are made one by one where they are damaged while they are used, and all anew by the next clip', async () => {
    const clip = clipOf(PLACES, folder);
    const before = (await facesOf(clip)).map(plain);
    const by = networks();
    const faces = await openFaces(clip, by, settings);
    expect(plain(await faces.face(0, signal))).toEqual(before[0]);
    const path = join(await cached(), 'faces.raw');
    const numbers = await readFile(path);
    numbers[numbers.length - 1]! ^= 1;
    await writeFile(path, numbers);
    expect(plain(await faces.face(2, signal))).toEqual(before[2]);
    expect(plain(await faces.face(1, signal))).toEqual(before[1]);
    expect(by.asked.latents).toBe(2);
    expect(await readdir(folder)).toEqual([]);
    expect((await facesOf(clip)).map(plain)).toEqual(before);
    await cached();
  });

  it.each([{ version: 'two' }, { mask: 'jaw' }, { margin: 6 }] as const)(
    'are made anew with %o, and the old ones removed',
    async (change) => {
      const clip = clipOf(PLACES.slice(0, 1), folder);
      await facesOf(clip);
      const old = await cached();
      await mkdir(join(folder, 'run-999999999-abc'));
      const by = networks();
      await facesOf(clip, by, undefined, { ...settings, ...change });
      expect(by.asked.latents).toBe(1);
      expect(await cached()).not.toBe(old);
    },
  );

  it('leave all else in the folder alone', async () => {
    await writeFile(join(folder, 'frames.rgb'), 'pictures');
    await facesOf(clipOf(PLACES.slice(0, 1), folder));
    expect((await readdir(folder)).filter((name) => !name.startsWith('musetalk-'))).toEqual(['frames.rgb']);
  });

  it('are whole when several make them at once', async () => {
    const clip = clipOf(PLACES, folder);
    const all = await Promise.all(
      Array.from({ length: 3 }, async () => {
        const faces = await openFaces(clip, networks(), settings);
        await faces.prepareAll(() => {}, signal);
        return Promise.all([0, 1, 2].map(async (i) => plain(await faces.face(i, signal))));
      }),
    );
    for (const faces of all) expect(faces).toEqual(all[0]);
    const idle = networks();
    expect((await facesOf(clip, idle)).map(plain)).toEqual(all[0]);
    expect(idle.asked.latents).toBe(0);
    await cached();
  });

  it('leave nothing when their making is aborted, and go on from there', async () => {
    const clip = clipOf(PLACES, folder);
    const kept = new KeptFaces();
    const by = networks();
    const gone = new AbortController();
    const faces = await openFaces(clip, by, settings, kept);
    const stop = (done: number) => {
      if (done > 0.4) gone.abort(new Error('enough'));
    };
    await expect(faces.prepareAll(stop, gone.signal)).rejects.toThrow('enough');
    expect(by.asked.latents).toBe(2);
    expect(await readdir(folder)).toEqual([]);
    await faces.prepareAll(() => {}, signal);
    expect(by.asked.latents).toBe(3);
    await cached();
  });

  it('are made for those that still want them when the first one leaves', async () => {
    const gone = new AbortController();
    const by = networks();
    const faces = await openFaces(clipOf(PLACES, folder), by, settings);
    const first = faces.face(0, gone.signal);
    const second = faces.face(0, signal);
    gone.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    expect((await second).box.width).toBeGreaterThan(0);
    await cached();
  });

  it('say with the fix that they cannot be kept, and can be spoken with all the same', async () => {
    const clip = clipOf(PLACES, join(folder, 'gone'));
    const by = networks();
    const faces = await openFaces(clip, by, settings);
    const failed = faces.prepareAll(() => {}, signal);
    await expect(failed).rejects.toThrow(VideoError);
    await expect(failed).rejects.toThrow(/gone.*choose a face again/);
    expect((await faces.face(1, signal)).box.width).toBeGreaterThan(0);
    expect((await faces.face(2, signal)).box.width).toBeGreaterThan(0);
    expect(by.asked.latents).toBe(3);
  });
});

describe('the prepared faces of a clip without a folder', () => {
  it('are made when they are asked for, and kept for the next clip of the same pictures', async () => {
    const kept = new KeptFaces();
    const by = networks();
    const faces = await openFaces(clipOf(PLACES), by, settings, kept);
    const one = await faces.face(1, signal);
    expect(by.asked.latents).toBe(1);
    const again = await openFaces(clipOf([...PLACES].reverse()), by, settings, kept);
    expect(await again.face(1, signal)).toBe(one);
    expect(by.asked.latents).toBe(1);
    await again.face(0, signal);
    expect(by.asked.latents).toBe(2);
  });

  it('are made anew with other settings or where the face is known to be elsewhere', async () => {
    const kept = new KeptFaces();
    const by = networks();
    const clip = clipOf(PLACES.slice(0, 1));
    await facesOf(clip, by, kept);
    await facesOf(clip, by, kept, { ...settings, version: 'two' });
    expect(by.asked.latents).toBe(2);
    const face = (index: number) => ({ ...clip.face(index), box: { x: 60, y: 60, width: 30, height: 30 } });
    const [elsewhere] = await facesOf({ ...clip, face }, by, kept);
    expect(elsewhere!.box).toEqual({ x: 60, y: 60, width: 30, height: 35 });
    expect(by.asked.latents).toBe(3);
  });

  it('make room for newer ones, those first that were not used for longest', async () => {
    const by = networks();
    const [face] = await facesOf(clipOf(PLACES), by);
    const size = 4 * face!.latents.length + face!.mask.alpha.length;
    const kept = new KeptFaces(2.5 * size);
    const faces = await openFaces(clipOf(PLACES), by, settings, kept);
    const ask = async (...order: number[]) => {
      const before = by.asked.latents;
      for (const index of order) await faces.face(index, signal);
      return by.asked.latents - before;
    };
    expect(await ask(0, 1, 0)).toBe(2);
    expect(await ask(2)).toBe(1);
    expect(await ask(0)).toBe(0);
    expect(await ask(1)).toBe(1);
  });

  it('are made once for two that ask at the same time', async () => {
    const kept = new KeptFaces();
    const by = networks();
    const [one, other] = await Promise.all([0, 1].map(() => openFaces(clipOf(PLACES), by, settings, kept)));
    const [a, b] = await Promise.all([one!.face(0, signal), other!.face(0, signal)]);
    expect(a).toBe(b);
    expect(by.asked.latents).toBe(1);
  });

  it('are made again for the second when the first leaves, for whom they were being made', async () => {
    const gone = new AbortController();
    const by = networks();
    const leaving: Networks = {
      ...by,
      async pose(planes, until) {
        if (until === gone.signal) {
          // By now the second one waits.
          await turn();
          gone.abort(new Error('left'));
        }
        return by.pose(planes, until);
      },
    };
    const kept = new KeptFaces();
    const open = () => openFaces(clipOf(PLACES), leaving, settings, kept);
    const [one, other] = [await open(), await open()];
    const first = one.face(1, gone.signal);
    const second = other.face(1, signal);
    await expect(first).rejects.toThrow('left');
    expect((await second).box.width).toBeGreaterThan(0);
    expect(by.asked.latents).toBe(1);
  });

  it('are not made when nobody wants them any more, nor told wrongly when a network fails', async () => {
    const faces = await openFaces(clipOf(PLACES), networks(), settings);
    const gone = new AbortController();
    gone.abort(new Error('left'));
    await expect(faces.face(0, gone.signal)).rejects.toThrow('left');
    const broken = { ...networks(), parse: () => Promise.reject(new VideoError('It is out of memory; use the CPU.')) };
    const others = await openFaces(clipOf(PLACES), broken, settings);
    await expect(others.face(0, signal)).rejects.toThrow('It is out of memory');
    await expect(others.prepareAll(() => {}, signal)).rejects.toThrow('It is out of memory');
  });
});
