import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parserTensors, unetTensors, vaeTensors, whisperTensors } from '../../../../src/bench/musetalk-tensors.ts';
import { FULL_UNET, FULL_VAE } from '../../../../src/bench/musetalk-weights.ts';
import { convert } from '../../../../src/server/video/lip-sync/musetalk/convert/convert.ts';
import { CONVERTER, readConverted } from '../../../../src/server/video/lip-sync/musetalk/convert/converted.ts';
import { exampleInputs, frameInputs } from '../../../../src/server/video/lip-sync/musetalk/convert/example-inputs.ts';
import { fileFacts, wrongFiles } from '../../../../src/server/video/lip-sync/musetalk/convert/file-facts.ts';
import { difference, problemOf } from '../../../../src/server/video/lip-sync/musetalk/convert/parity.ts';
import { readReference } from '../../../../src/server/video/lip-sync/musetalk/convert/reference.ts';
import { readUnetConfig, readVaeConfig } from '../../../../src/server/video/lip-sync/musetalk/graphs/config.ts';
import { faceParserGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/face-parser.ts';
import { frameGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/frame.ts';
import { faceEncoderGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/vae.ts';
import { speechGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/whisper.ts';
import type { Weights } from '../../../../src/server/weights/weights.ts';
import { tinySources } from '../../../fixtures/musetalk/tiny-sources.ts';

const forever = new AbortController().signal;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'voice-chat-convert-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('faces and numbers that must agree', () => {
  const face = (shift: number) => ({
    faces: { dims: [1, 10], data: new Uint8Array(10).map((_, i) => 20 * i + shift) },
  });
  const states = (...values: number[]) => ({ states: { dims: [values.length], data: Float32Array.from(values) } });

  it('may differ by a level, not by many, and a face is never of one colour', () => {
    expect(problemOf(face(1), face(0))).toBeUndefined();
    expect(problemOf(face(2), face(0))).toContain('off by 2.00 levels');
    const grey = { faces: { dims: [1, 10], data: new Uint8Array(10).fill(128) } };
    expect(problemOf(grey, grey)).toContain('one colour');
    const spot = face(0);
    spot.faces.data[3]! += 17;
    expect(problemOf(spot, face(0))).toContain('17 at most');
  });

  it('may differ by little of their spread, and are numbers', () => {
    expect(problemOf(states(1, 2.01, 3), states(1, 2, 3))).toBeUndefined();
    expect(problemOf(states(1, 2.5, 3), states(1, 2, 3))).toContain('off by');
    expect(problemOf(states(1, Number.NaN, 3), states(1, 2, 3))).toContain('no numbers');
    expect(problemOf(states(1, 2), states(1, 2, 3))).toContain('of the right size');
    expect(problemOf({}, states(1))).toContain('gave no states');
    expect(difference([1, Number.NaN, 2], [1, 1, 1])).toEqual({ mean: Number.NaN, max: Number.NaN });
  });
});

describe('what the networks are tried with', () => {
  it('has the networks’ shapes, in their range', async () => {
    const { speech, face, parser, pose } = await exampleInputs();
    expect(speech.mel!.dims).toEqual([1, 80, 3000]);
    expect(face.face!.data).toHaveLength(256 * 256 * 3);
    expect(parser.picture!.data).toHaveLength(3 * 512 * 512);
    expect(pose.picture!.data).toHaveLength(3 * 384 * 288);
    // A face in the middle: neither all dark nor all bright.
    const mean = (data: ArrayLike<number>) => Array.from(data).reduce((sum, one) => sum + one, 0) / data.length;
    expect(mean(face.face!.data)).toBeGreaterThan(60);
    expect(mean(face.face!.data)).toBeLessThan(220);
    for (const values of [speech.mel!, parser.picture!, pose.picture!]) {
      expect(values.data.every((one) => Math.abs(one) <= 2.5)).toBe(true);
    }
    const states = { states: { dims: [1, 1500, 5, 8], data: new Float32Array(1500 * 40).map((_, i) => i) } };
    const latents = { latents: { dims: [1, 8, 32, 32], data: new Float32Array(8192) } };
    const frame = frameInputs(states, latents);
    expect(frame.states!.dims).toEqual([1, 50, 8]);
    expect(frame.states!.data[0]).toBe(100 * 40);
    expect(frame.states!.data).toHaveLength(400);
  });

  it('has small networks of every part, whose weights are counted out alike each time', async () => {
    const [one, other] = await Promise.all([readReference(), readReference()]);
    const [weight] = one.speech.weights;
    const read = await weight!.weight.read(forever);
    expect(read).toEqual(await other.speech.weights[0]!.weight.read(forever));
    expect(read.some((value) => value !== 0)).toBe(true);
    expect(one.inputs.frame.states!.dims).toEqual([1, 50, 32]);
    expect(one.distance('faces', new Uint8Array(256 * 256 * 3))).toBeGreaterThan(200);
    const states = new Float32Array(1500 * 5 * 32);
    expect(one.distance('states', states)).toBeLessThan(10);
    states[0] = Number.NaN;
    expect(one.distance('states', states)).toBeNaN();
  });
});

describe('networks of the published size', () => {
  const listed = (shapes: ReadonlyMap<string, readonly number[]>): Weights => ({
    file: 'random',
    tensors: new Map([...shapes].map(([name, dims]) => [name, { type: 'f32', dims }])),
    read: () => Promise.reject(new Error('Not to be read here.')),
    [Symbol.asyncDispose]: async () => {},
  });

  it('are built of tensors of the published names, shapes and number', () => {
    expect(unetTensors().size).toBe(686);
    const count = [...unetTensors().values()].reduce((sum, dims) => sum + dims.reduce((all, dim) => all * dim, 1), 0);
    expect(Math.round(count / 1e5)).toBe(8_499);
    const [unet, vae] = [readUnetConfig(FULL_UNET), readVaeConfig(FULL_VAE)];
    const frame = frameGraph(listed(unetTensors()), unet, listed(vaeTensors()), vae, {
      compute: 'f16',
      storage: 'f16',
    });
    expect(frame.weights.length).toBeGreaterThan(700);
    expect(faceEncoderGraph(listed(vaeTensors()), vae).weights.length).toBeGreaterThan(100);
    const whisper = { width: 384, heads: 6, inner: 1536 };
    expect(speechGraph(listed(whisperTensors()), whisper).weights.length).toBeGreaterThan(40);
    expect(faceParserGraph(listed(parserTensors())).weights.length).toBeGreaterThan(20);
  });
});

describe('the conversion', () => {
  it('says which source is missing, and leaves nothing', async () => {
    const sources = { ...(await tinySources(folder)), vae: join(folder, 'vae.safetensors') };
    const into = join(folder, 'a', 'converted');
    await expect(convert(sources, into, () => {}, forever)).rejects.toThrow(
      /vae\.safetensors cannot be read; run voice-chat/,
    );
    expect(await readConverted(into)).toBeUndefined();
  });

  it('says which source is of no use, and leaves nothing', async () => {
    const sources = { ...(await tinySources(folder)), whisper: join(folder, 'whisper.safetensors') };
    await writeFile(sources.whisper, 'no weights at all');
    const into = join(folder, 'b', 'converted');
    await expect(convert(sources, into, () => {}, forever)).rejects.toThrow(
      expect.objectContaining({ name: 'WeightsError' }),
    );
    expect(await readdir(join(folder, 'b'))).toEqual([]);
  });

  it('that is interrupted leaves nothing', async () => {
    const stop = new AbortController();
    const into = join(folder, 'c', 'converted');
    const stopAt = ({ step }: { step: string }) => step === 'frame' && stop.abort(new Error('Enough.'));
    await expect(convert(await tinySources(folder), into, stopAt, stop.signal)).rejects.toThrow('Enough.');
    expect(await readdir(join(folder, 'c'))).toEqual([]);
  });

  it('of another version of the converter counts as none', async () => {
    await writeFile(join(folder, 'converted.json'), JSON.stringify({ converter: CONVERTER + 1, version: 'v' }));
    expect(await readConverted(folder)).toBeUndefined();
    await writeFile(join(folder, 'converted.json'), JSON.stringify({ converter: CONVERTER }));
    expect(await readConverted(folder)).toBeUndefined();
    await writeFile(join(folder, 'converted.json'), JSON.stringify({ converter: CONVERTER, version: 'v', files: {} }));
    expect(await readConverted(folder)).toMatchObject({ version: 'v', folder });
    await writeFile(join(folder, 'converted.json'), '{"converter":');
    expect(await readConverted(folder)).toBeUndefined();
  });

  it('counts as none where a file is gone or cut, and can be asked which files are damaged', async () => {
    const there = join(folder, 'there');
    await mkdir(there);
    await writeFile(join(there, 'frame.data'), 'weights');
    await writeFile(join(there, 'frame.onnx'), 'graph');
    const files = await fileFacts(there, forever);
    await writeFile(join(there, 'converted.json'), JSON.stringify({ converter: CONVERTER, version: 'v', files }));
    const whole = await readConverted(there);
    expect(whole).toMatchObject({ version: 'v' });
    expect(await wrongFiles(whole!, forever)).toEqual([]);
    await writeFile(join(there, 'frame.data'), 'weighty');
    expect(await readConverted(there)).toEqual(whole);
    expect(await wrongFiles(whole!, forever)).toEqual(['frame.data']);
    await writeFile(join(there, 'frame.data'), 'weigh');
    expect(await readConverted(there)).toBeUndefined();
    await rm(join(there, 'frame.data'));
    expect(await readConverted(there)).toBeUndefined();
    expect(await wrongFiles(whole!, forever)).toEqual(['frame.data']);
  });

  it('says what to do where it may not write', async () => {
    await writeFile(join(folder, 'no-folder'), '');
    const into = join(folder, 'no-folder', 'musetalk', 'converted');
    await expect(convert(await tinySources(folder), into, () => {}, forever)).rejects.toThrow(
      expect.objectContaining({
        name: 'VideoError',
        message: expect.stringMatching(/cannot be written .*cache\.folder/),
      }),
    );
  });
});
