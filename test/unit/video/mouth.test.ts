import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importPicture } from '../../../src/server/video/avatars/import-picture.ts';
import type { Face, MouthShape, Picture } from '../../../src/server/video/contracts.ts';
import { moveMouth } from '../../../src/server/video/lip-sync/mouth.ts';
import { readPicture } from '../../../src/server/video/pictures/read-picture.ts';
import { copied, drawnFace } from './drawn-face.ts';

const PORTRAITS = resolve('../shared/data/faces/faker-portraits-cc0');
const CLOSED: MouthShape = { open: 0, wide: 0, pressed: 0, teeth: 0 };

/** The picture with its mouth in another shape. */
function shaped(picture: Picture, face: Face, shape: Partial<MouthShape>): Picture {
  const result = copied(picture);
  moveMouth(result, face, { ...CLOSED, ...shape });
  return result;
}

/** How many pixels differ by more than `by`, of those in places that `where` takes. */
function changed(a: Picture, b: Picture, by: number, where: (x: number, y: number) => boolean = () => true): number {
  let count = 0;
  for (let i = 0; i < a.rgb.length; i += 3) {
    const differs = [0, 1, 2].some((c) => Math.abs(a.rgb[i + c]! - b.rgb[i + c]!) > by);
    if (differs && where((i / 3) % a.width, Math.floor(i / 3 / a.width))) count++;
  }
  return count;
}

/** How many pixels near the middle of the drawn face's mouth are neither lip nor skin: less red than both. */
function inside({ width, rgb }: Picture, face: Face): number {
  const [left, right] = [face.innerLips[0]!, face.innerLips[face.innerLips.length / 2]!];
  const [middleX, middleY] = [(left.x + right.x) / 2, (left.y + right.y) / 2];
  let count = 0;
  for (let i = 0; i < rgb.length; i += 3) {
    const [x, y] = [(i / 3) % width, Math.floor(i / 3 / width)];
    if (Math.hypot(x - middleX, y - middleY) < 25 && rgb[i]! - rgb[i + 1]! < 36) count++;
  }
  return count;
}

describe('moving a mouth', () => {
  it('leaves a closed mouth as it is when it is to be closed', () => {
    const { picture, face } = drawnFace();
    expect(changed(picture, shaped(picture, face, CLOSED), 0)).toBe(0);
  });

  it.each([0, 0.25])('opens it the wider, the more it is to be open (turned by %d)', (tilt) => {
    const { picture, face } = drawnFace(tilt);
    const areas = [0, 0.2, 0.4, 0.6, 0.8, 1].map((open) => inside(shaped(picture, face, { open }), face));
    for (const [i, area] of areas.entries()) if (i > 0) expect(area).toBeGreaterThan(areas[i - 1]!);
    expect(areas.at(-1)!).toBeGreaterThan(areas[0]! + 300);
  });

  it.each([5, 14])('closes a mouth that is open in the picture by %d pixels', (gap) => {
    const { picture, face } = drawnFace(0.1, gap);
    const before = inside(picture, face);
    expect(before).toBeGreaterThan(20 * gap);
    expect(inside(shaped(picture, face, CLOSED), face)).toBeLessThan(before / 10);
  });

  it('moves the chin along, and nothing from the nose upwards or beside the face', () => {
    const { picture, face } = drawnFace();
    const open = shaped(picture, face, { open: 1 });
    const outside = (x: number, y: number) => y < 148 || x < 60 || x > 196;
    expect(changed(picture, open, 0, outside)).toBe(0);
    const chin = (x: number, y: number) => Math.abs(x - 128) < 10 && y > 196 && y < 215;
    expect(changed(picture, open, 8, chin)).toBeGreaterThan(50);
  });

  it('draws the corners in for a rounded mouth and out for a spread one', () => {
    const { picture, face } = drawnFace();
    const reach = ({ rgb }: Picture) => {
      const lip = (x: number) => rgb[(166 * 256 + x) * 3]! - rgb[(166 * 256 + x) * 3 + 1]! > 60;
      return Array.from({ length: 128 }, (_, x) => x + 128).filter(lip).length;
    };
    const relaxed = reach(picture);
    expect(reach(shaped(picture, face, { wide: -1 }))).toBeLessThan(relaxed - 3);
    expect(reach(shaped(picture, face, { wide: 1 }))).toBeGreaterThan(relaxed);
  });

  it('makes pressed lips thinner', () => {
    const { picture, face } = drawnFace();
    const thickness = ({ rgb }: Picture) =>
      Array.from({ length: 40 }, (_, y) => ((y + 144) * 256 + 128) * 3).filter((i) => rgb[i]! - rgb[i + 1]! > 60)
        .length;
    expect(thickness(shaped(picture, face, { pressed: 1 }))).toBeLessThan(thickness(picture) - 2);
  });

  it('shows teeth when they are to be seen', () => {
    const { picture, face } = drawnFace();
    const bright = ({ rgb }: Picture) => {
      let count = 0;
      for (let y = 150; y < 190; y++) {
        for (let x = 110; x < 146; x++) {
          const [r, g, b] = rgb.subarray((y * 256 + x) * 3, (y * 256 + x) * 3 + 3);
          if (r! > 150 && r! - b! < 50 && g! - b! < 40) count++;
        }
      }
      return count;
    };
    expect(bright(shaped(picture, face, { open: 0.4, wide: -1 }))).toBeLessThan(
      bright(shaped(picture, face, { open: 0.4, teeth: 1 })) - 20,
    );
  });

  it('leaves a face without lips alone', () => {
    const { picture, face } = drawnFace();
    expect(changed(picture, shaped(picture, { ...face, innerLips: [], outerLips: [] }, { open: 1 }), 0)).toBe(0);
  });

  it('stays within a picture that ends right below the mouth', () => {
    const { picture, face } = drawnFace();
    const cut = { width: 256, height: 172, rgb: picture.rgb.slice(0, 172 * 256 * 3) };
    expect(changed(cut, shaped(cut, face, { open: 1, wide: -1 }), 8)).toBeGreaterThan(100);
  });
});

describe.skipIf(!existsSync(PORTRAITS))('mouths of portraits (need ../shared/data)', () => {
  const files = existsSync(PORTRAITS) ? readdirSync(PORTRAITS).filter((name) => name.endsWith('.jpg')) : [];
  /** One of these smiles with open lips, and another has somebody behind. */
  const closed = files.filter((name) => name !== 'male-79.jpg' && name !== 'female-55.jpg');

  it.each(closed)('%s: stays as it is when closed, and opens', { timeout: 60_000 }, async (name) => {
    const imported = await importPicture(readFileSync(join(PORTRAITS, name)), undefined, new AbortController().signal);
    if (!imported.ok) throw new Error(imported.message);
    const { face } = imported;
    const picture = await readPicture(imported.png);
    const still = changed(picture, shaped(picture, face, CLOSED), 12);
    expect(still).toBeLessThan(40);
    const areas = [0, 0.3, 0.6, 1].map((open) => changed(picture, shaped(picture, face, { open }), 40));
    for (const [i, area] of areas.entries()) if (i > 0) expect(area).toBeGreaterThan(areas[i - 1]!);
  });
});
