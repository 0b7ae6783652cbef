import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { frameFace } from '../../../src/server/video/avatars/frame-face.ts';
import { importPicture } from '../../../src/server/video/avatars/import-picture.ts';
import type { Face, ImportedPicture, Picture, Point } from '../../../src/server/video/contracts.ts';
import { findFaces } from '../../../src/server/video/faces/find-faces.ts';
import { cutSquare } from '../../../src/server/video/pictures/cut-square.ts';
import { turnUpright } from '../../../src/server/video/pictures/orientation.ts';
import { writePng } from '../../../src/server/video/pictures/png.ts';
import { readPicture } from '../../../src/server/video/pictures/read-picture.ts';
import { quarters } from './pictures-files.ts';

const PORTRAITS = fileURLToPath(new URL('../../../../shared/data/faces/faker-portraits-cc0/', import.meta.url));
const PRESETS = fileURLToPath(new URL('../../../src/server/video/avatars/presets/', import.meta.url));
const portraits = existsSync(PORTRAITS) ? readdirSync(PORTRAITS).filter((file) => file.endsWith('.jpg')) : [];
const never = new AbortController().signal;

const preset = (name: string) => readPicture(readFileSync(`${PRESETS}${name}.png`));
const portrait = (name: string) => readFileSync(`${PORTRAITS}${name}`);

/** Two square pictures of the same size, one beside the other. */
function beside(left: Picture, right: Picture): Picture {
  const { width, height } = left;
  const rgb = new Uint8Array(6 * width * height);
  for (let row = 0; row < height; row++) {
    for (const [i, picture] of [left, right].entries()) {
      rgb.set(picture.rgb.subarray(3 * row * width, 3 * (row + 1) * width), 3 * (2 * row + i) * width);
    }
  }
  return { width: 2 * width, height, rgb };
}

/** Pixels without any meaning, the same at every run. */
function noise(size: number): Picture {
  let state = 1;
  const rgb = new Uint8Array(3 * size * size).map(() => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return state >>> 24;
  });
  return { width: size, height: size, rgb };
}

const heights = (points: readonly Point[]) => points.map(({ y }) => y);
const mean = (points: readonly Point[], of: 'x' | 'y') =>
  points.reduce((sum, point) => sum + point[of], 0) / points.length;

/** What must be so of every face that looks out of a picture upright. */
function expectOrdered(face: Face): void {
  for (const part of ['outerLips', 'innerLips', 'leftEye', 'rightEye'] as const) {
    const points = face[part];
    const half = points.length / 2;
    const xs = points.map(({ x }) => x);
    expect(xs.indexOf(Math.min(...xs)), part).toBe(0);
    // Over the upper edge to the right, and back along the lower one.
    expect(mean(points.slice(1, half), 'y'), part).toBeLessThan(mean(points.slice(half + 1), 'y') + 0.5);
    expect(xs[half]! - xs[0]!, part).toBeGreaterThan(0.9 * (Math.max(...xs) - Math.min(...xs)));
  }
  expect(mean(face.leftEye, 'x')).toBeLessThan(mean(face.rightEye, 'x'));
  expect(face.jaw[0]!.x).toBeLessThan(face.jaw.at(-1)!.x);
  const chin = Math.max(...heights(face.jaw));
  expect(heights(face.jaw)[Math.floor(face.jaw.length / 2)]!).toBeGreaterThan(chin - 0.05 * face.box.height);
  expect(mean(face.leftEye, 'y')).toBeLessThan(mean(face.outerLips, 'y'));
  expect(Math.max(...heights(face.outerLips))).toBeLessThan(chin);
}

function expectImported(imported: ImportedPicture): Extract<ImportedPicture, { ok: true }> {
  if (!imported.ok) throw new Error(imported.message);
  return imported;
}

const pngOf = async (picture: Picture) => Buffer.from(await writePng(picture));

describe('finding faces', () => {
  it('finds none where there is none', async () => {
    expect(await findFaces(noise(300))).toEqual([]);
    expect(await findFaces(quarters(300, 200))).toEqual([]);
    expect(await findFaces({ width: 1, height: 1, rgb: new Uint8Array(3) })).toEqual([]);
  });

  it('finds every face, wherever and however large', async () => {
    const two = beside(await preset('jun'), await preset('zola'));
    const faces = await findFaces(two);
    expect(faces.map(({ box }) => Math.floor((box.x + box.width / 2) / 512)).sort()).toEqual([0, 1]);
    for (const face of faces) expectOrdered(face);
    const [near] = await findFaces(cutSquare(await preset('mara'), 150, 110, 212, 600));
    expect(near!.box.height).toBeGreaterThan(450);
  });

  it('finds a small face in a large picture', async () => {
    const [picture, person] = [quarters(2600, 1500), cutSquare(await preset('zola'), 0, 0, 512, 300)];
    for (let row = 0; row < 300; row++) {
      picture.rgb.set(person.rgb.subarray(900 * row, 900 * (row + 1)), 3 * (2600 * (row + 900) + 1700));
    }
    const faces = await findFaces(picture);
    expect(faces).toHaveLength(1);
    const { x, y, width, height } = faces[0]!.box;
    expect(Math.hypot(x + width / 2 - 1850, y + height / 2 - 1040)).toBeLessThan(25);
    expectOrdered(faces[0]!);
  });

  it('gives pixels of the picture, whatever its size', async () => {
    const picture = await preset('elias');
    const [face] = await findFaces(picture);
    const [large] = await findFaces(cutSquare(picture, 0, 0, 512, 1400));
    const scale = 1400 / 512;
    for (const [i, { x, y }] of face!.outerLips.entries()) {
      expect(Math.hypot(large!.outerLips[i]!.x / scale - x, large!.outerLips[i]!.y / scale - y)).toBeLessThan(6);
    }
  });
});

// Real portraits lie beside the repository, not in it.
describe.skipIf(portraits.length === 0)('portraits', () => {
  it.each(portraits)('makes an avatar of %s', async (file) => {
    const { png, face } = expectImported(await importPicture(portrait(file), undefined, never));
    const picture = await readPicture(png);
    expect(picture).toMatchObject({ width: 512, height: 512 });
    expect(face.box.height).toBeGreaterThan(0.38 * 512);
    expect(face.box.height).toBeLessThan(0.42 * 512);
    expectOrdered(face);
    const [again] = await findFaces(picture);
    expect(Math.abs(mean(again!.outerLips, 'x') - mean(face.outerLips, 'x'))).toBeLessThan(4);
    expect(Math.abs(mean(again!.outerLips, 'y') - mean(face.outerLips, 'y'))).toBeLessThan(4);
  });

  it('follows a face that is not upright', async () => {
    const whole = await readPicture(portrait('male-74.jpg'));
    const leaning = turned(whole, 0.35);
    const [face] = await findFaces(leaning);
    const [left, right] = [face!.leftEye, face!.rightEye];
    const angle = Math.atan2(mean(right, 'y') - mean(left, 'y'), mean(right, 'x') - mean(left, 'x'));
    expect(angle).toBeGreaterThan(0.25);
    expect(angle).toBeLessThan(0.45);
  });
});

/** Turned clockwise about its middle, by so many radians. */
function turned({ width, height, rgb }: Picture, angle: number): Picture {
  const out = new Uint8Array(rgb.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [right, down] = [x - width / 2, y - height / 2];
      const fromX = Math.round(width / 2 + right * Math.cos(angle) + down * Math.sin(angle));
      const fromY = Math.round(height / 2 - right * Math.sin(angle) + down * Math.cos(angle));
      if (fromX < 0 || fromY < 0 || fromX >= width || fromY >= height) continue;
      const from = 3 * (fromY * width + fromX);
      out.set(rgb.subarray(from, from + 3), 3 * (y * width + x));
    }
  }
  return { width, height, rgb: out };
}

describe('importing a picture', () => {
  it('goes beyond a picture that holds little more than the face', () => {
    const { left, top, side } = frameFace({ x: 10, y: 5, width: 80, height: 90 }, 100, 100);
    expect(90 / side).toBeLessThanOrEqual(0.7);
    expect(left).toBeLessThan(0);
    expect(top).toBeLessThan(0);
    expect(frameFace({ x: 10, y: 5, width: 30, height: 30 }, 100, 100)).toMatchObject({ left: 0, top: 0 });
  });

  it('says which faces there are, and takes the part that is chosen', async () => {
    const png = await pngOf(beside(await preset('jun'), await preset('zola')));
    const several = await importPicture(png, undefined, never);
    expect(several).toMatchObject({ ok: false, problem: 'several_faces', width: 1024, height: 512 });
    if (several.ok) return;
    expect(several.message).toMatch(/There are 2 faces/);
    expect(several.faces).toHaveLength(2);
    const { face, png: made } = expectImported(await importPicture(png, { x: 0.5, y: 0, size: 0.5 }, never));
    expect(await readPicture(made)).toEqual(await preset('zola'));
    expectOrdered(face);
  });

  it('says that there is no face, in the picture or in the part', async () => {
    const none = await importPicture(await pngOf(quarters(300, 200)), undefined, never);
    expect(none).toEqual({
      ok: false,
      problem: 'no_face',
      message: 'No face was found; choose the part of the picture that shows one.',
      width: 300,
      height: 200,
      faces: [],
    });
    const png = await pngOf(await preset('mara'));
    const corner = await importPicture(png, { x: 0, y: 0, size: 0.2 }, never);
    expect(corner).toMatchObject({ ok: false, problem: 'no_face', width: 512, height: 512 });
    if (!corner.ok) expect(corner.faces).toHaveLength(1);
  });

  it('wants a face that is large enough', async () => {
    const small = await pngOf(cutSquare(await preset('mara'), 0, 0, 512, 200));
    const imported = await importPicture(small, undefined, never);
    expect(imported).toMatchObject({ ok: false, problem: 'too_small' });
    if (!imported.ok) expect(imported.message).toMatch(/^The face is \d+ pixels high; choose .* 128 or more\.$/);
  });

  it('takes no picture in which no face can be large enough', async () => {
    const imported = await importPicture(await pngOf(quarters(500, 90)), undefined, never);
    expect(imported).toMatchObject({ ok: false, problem: 'too_small' });
    if (!imported.ok) expect(imported.message).toMatch(/^The picture has 500 x 90 pixels; choose a larger one/);
  });

  it.each([6, 8] as const)('turns a face upright that lies on its side (%i)', async (orientation) => {
    const mara = await preset('mara');
    const upright = expectImported(await importPicture(await pngOf(mara), undefined, never));
    const lying = await pngOf(turnUpright(mara, orientation));
    for (const crop of [undefined, { x: 0, y: 0, size: 1 }]) {
      const { face, png } = expectImported(await importPicture(lying, crop, never));
      expectOrdered(face);
      expect(Math.abs(mean(face.outerLips, 'y') - mean(upright.face.outerLips, 'y'))).toBeLessThan(crop ? 60 : 4);
      expect(mean(face.jaw, 'y')).toBeGreaterThan(mean(face.leftEye, 'y'));
      expect(await readPicture(png)).toMatchObject({ width: 512, height: 512 });
    }
  });

  it('takes no notice of somebody in the background', async () => {
    const [front, person] = [await preset('jun'), cutSquare(await preset('zola'), 0, 0, 512, 170)];
    const picture = beside(front, { ...quarters(512, 512), rgb: new Uint8Array(3 * 512 * 512).fill(200) });
    for (let row = 0; row < 170; row++) {
      picture.rgb.set(person.rgb.subarray(510 * row, 510 * (row + 1)), 3 * (1024 * (row + 100) + 700));
    }
    expect(await findFaces(picture)).toHaveLength(2);
    expectImported(await importPicture(await pngOf(picture), undefined, never));
  });

  it('gives the sentence of a file that cannot be read', async () => {
    const text = await importPicture(Buffer.from('hello'), undefined, never);
    expect(text).toMatchObject({ ok: false, problem: 'format' });
    const half = (await pngOf(quarters(64, 64))).subarray(0, 80);
    expect(await importPicture(half, undefined, never)).toMatchObject({ ok: false, problem: 'damaged' });
  });

  it('ends when it is given up', async () => {
    const png = await pngOf(await preset('mara'));
    await expect(importPicture(png, undefined, AbortSignal.abort())).rejects.toThrow(/abort/i);
  });
});
