import { mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkBase, checkExperts, checkSteps } from '../../../src/server/video/base/wan22/checks.ts';
import { checkLoras } from '../../../src/server/video/base/wan22/lora-checks.ts';
import { safetensorsHeaderOf } from '../../../src/server/video/base/wan22/safetensors.ts';
import { VideoError } from '../../../src/server/video/contracts.ts';
import { expertTensors, loraTensors, Wan22Bench, writeSafetensors } from '../../fixtures/wan22.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-chat-checks-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
const place = (name: string) => join(folder, String(files++), name);

function expertFile(name: string, type = 'F8_E4M3', metadata?: Record<string, string>, channels = 36): string {
  const file = place(name);
  writeSafetensors(file, expertTensors(type, channels), metadata);
  return file;
}

function loraFile(name: string, metadata?: Record<string, string>, tensors: typeof loraTensors | object = loraTensors) {
  const file = place(name);
  writeSafetensors(file, tensors as typeof loraTensors, metadata);
  return file;
}

const emptyFile = () => {
  const file = join(folder, 'empty.safetensors');
  writeFileSync(file, '');
  return file;
};

function header(text: string, says = Buffer.byteLength(text)): string {
  const file = join(folder, `${files++}.safetensors`);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(says));
  writeFileSync(file, Buffer.concat([length, Buffer.from(text)]));
  return file;
}

describe('the header of a safetensors file', () => {
  it('is read without its weights', async () => {
    const file = loraFile('some.safetensors', { author: 'somebody' });
    const { tensors, metadata } = await safetensorsHeaderOf(file);
    const expected = Object.values(loraTensors).map(({ type, shape }) => ({ dtype: type, shape }));
    expect([...tensors.values()]).toMatchObject(expected);
    expect(metadata).toEqual({ author: 'somebody' });
  });

  it.each<[string, () => string]>([
    ['is not there', () => join(folder, 'nowhere.safetensors')],
    ['is empty', emptyFile],
    ['says that it is longer than its file', () => header('{}', 2 ** 40)],
    ['says that it has no length', () => header('{}', 0)],
    [
      'is larger than any real one',
      () => {
        const file = header('{}', 50_000_000);
        truncateSync(file, 60_000_000);
        return file;
      },
    ],
    ['is no JSON', () => header('{"a":')],
    ['is a list', () => header('[1, 2]')],
    ['has a tensor without a shape', () => header('{"a":{"dtype":"F16"}}')],
    ['has a tensor of a negative place', () => header('{"a":{"dtype":"F16","shape":[1],"data_offsets":[-2,0]}}')],
    ['has a tensor of a nameless kind', () => header('{"a":{"dtype":7,"shape":[],"data_offsets":[0,0]}}')],
    ['has nothing where a tensor should be', () => header('{"a":null}')],
    ['has a tensor that ends before it begins', () => header('{"a":{"dtype":"F16","shape":[],"data_offsets":[2,0]}}')],
    ['names more than is there', () => header('{"a":{"dtype":"F16","shape":[9],"data_offsets":[0,18]}}')],
  ])('that %s is refused', async (_, file) => {
    await expect(safetensorsHeaderOf(file())).rejects.toThrow(VideoError);
  });

  it('with dangerous names harms nobody', async () => {
    const text =
      '{"__proto__":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"__metadata__":{"__proto__":"x","n":1}}';
    const { tensors } = await safetensorsHeaderOf(header(text));
    expect([...tensors.keys()]).toEqual(['__proto__']);
    expect(({} as { dtype?: string }).dtype).toBeUndefined();
  });
});

describe('frames and steps', () => {
  const steps = [1_000, 750, 500, 250];

  it.each([5, 33, 81, 121])('of %i frames are taken', (frames) => {
    checkSteps({ frames, steps, boundaryStep: 2 });
  });

  it.each<[object, RegExp]>([
    [{ frames: 80 }, /frames must be 4n \+ 1: 80 is none, 77 and 81 are/],
    [{ steps: [250, 500] }, /falling numbers/],
    [{ steps: [500, 500] }, /falling numbers/],
    [{ steps: [1_000] }, /two or more/],
    [{ boundaryStep: 4 }, /with 4 steps it must be 1 to 3/],
    [{ boundaryStep: 0 }, /1 to 3/],
  ])('%j are refused', (wrong, sentence) => {
    expect(() => checkSteps({ frames: 81, steps, boundaryStep: 2, ...wrong })).toThrow(sentence);
  });
});

describe('the two experts', () => {
  const check = (highNoise: string, lowNoise: string, wanted: 'auto' | 'fp8' | 'int8' | 'bf16' = 'auto') =>
    checkExperts({ base: '', highNoise, lowNoise }, wanted);

  it.each([
    ['F8_E4M3', 'fp8'],
    ['I8', 'int8'],
    ['BF16', 'bf16'],
  ])('in %s are known to be %s', async (type, weights) => {
    const pair = [
      expertFile('wan_high_noise.safetensors', type),
      expertFile('wan_low_noise.safetensors', type),
    ] as const;
    await expect(check(...pair)).resolves.toBe(weights);
  });

  it.each(['Wan2.2-I2V-A14B-HighNoise', 'i2v.high.fp8', 'wan2.2_i2v_A14b_high_noise_scaled_fp8_e4m3_lightx2v_4step'])(
    'are told by names such as %s',
    async (name) => {
      const low = expertFile(`${name.replace('high', 'low').replace('High', 'Low')}.safetensors`);
      const high = expertFile(`${name}.safetensors`);
      await expect(check(high, low)).resolves.toBe('fp8');
      await expect(check(low, high)).rejects.toThrow(/calls itself low_noise.*swapped/);
    },
  );

  it('are told by their metadata where names say nothing', async () => {
    const high = expertFile('a.safetensors', 'I8', { title: 'Wan high noise expert' });
    const low = expertFile('b.safetensors', 'I8', { title: 'Wan low noise expert' });
    await expect(check(high, low)).resolves.toBe('int8');
    await expect(check(low, high)).rejects.toThrow(/swapped/);
  });

  it('are two files, also where two names lead to one', async () => {
    const file = expertFile('a.safetensors');
    const names = ['x_high_noise.safetensors', 'x_low_noise.safetensors'].map((name) => join(folder, name));
    for (const name of names) symlinkSync(file, name);
    await expect(check(names[0]!, names[1]!)).rejects.toThrow(/name the same file/);
  });

  it.each<[string, () => readonly [string, string], RegExp]>([
    ['is missing', () => ['/nowhere/high_noise.safetensors', expertFile('low_noise.safetensors')], /is no file/],
    [
      'is a folder',
      () => [folder, expertFile('low_noise.safetensors')],
      /is no file. Correct video.baseClips.highNoise/,
    ],
    [
      'is both',
      () => {
        const file = expertFile('a.safetensors', 'I8', { name: 'high noise' });
        return [file, file];
      },
      /swapped|same file/,
    ],
    [
      'is nameless',
      () => [expertFile('wan.safetensors'), expertFile('low_noise.safetensors')],
      /Put high_noise into its name/,
    ],
    [
      'says one thing and is called another',
      () => [
        expertFile('high_noise.safetensors', 'I8', { modelspec: 'low noise' }),
        expertFile('low_noise.safetensors', 'I8'),
      ],
      /calls itself low_noise/,
    ],
    [
      'is of another kind',
      () => [expertFile('high_noise.safetensors'), expertFile('low_noise.safetensors', 'I8')],
      /is fp8.*is int8/,
    ],
    [
      'is a small model',
      () => [loraFile('high_noise.safetensors'), expertFile('low_noise.safetensors')],
      /no expert.*0\.0 billion/,
    ],
    [
      'takes no picture',
      () => [expertFile('high_noise.safetensors', 'I8', undefined, 16), expertFile('low_noise.safetensors', 'I8')],
      /16 channels/,
    ],
    [
      "is in ComfyUI's form",
      () => [expertFile('high_noise_comfyui.safetensors'), expertFile('low_noise.safetensors')],
      /ComfyUI/,
    ],
    [
      'has unknown weights',
      () => [expertFile('high_noise.safetensors', 'U4'), expertFile('low_noise.safetensors')],
      /not known here/,
    ],
  ])('of which one %s are refused', async (_, pair, sentence) => {
    await expect(check(...pair())).rejects.toThrow(sentence);
  });

  it('must be what the settings say', async () => {
    const pair = [expertFile('high_noise.safetensors'), expertFile('low_noise.safetensors')] as const;
    await expect(check(...pair, 'int8')).rejects.toThrow(/is fp8, not int8. Set video.baseClips.weights: fp8/);
  });

  it('cut off by a broken download are refused', async () => {
    const high = expertFile('high_noise.safetensors');
    truncateSync(high, 10e9);
    await expect(check(high, expertFile('low_noise.safetensors'))).rejects.toThrow(/cut off/);
  });
});

describe('the base model', () => {
  it('is taken when all of it is there', async () => {
    using bench = new Wan22Bench();
    await checkBase(bench.base);
  });

  it.each([
    'high_noise_model/config.json',
    'low_noise_model/config.json',
    'models_t5_umt5-xxl-enc-bf16.pth',
    'Wan2.1_VAE.pth',
    'google/umt5-xxl/tokenizer.json',
    'google/umt5-xxl/spiece.model',
  ])('without %s is refused by that name', async (path) => {
    using bench = new Wan22Bench();
    rmSync(join(bench.base, path));
    await expect(checkBase(bench.base)).rejects.toThrow(
      new RegExp(`${path} of the base model is missing.*models pull`),
    );
  });

  it("with git's pointer in place of a file, or of another model, is refused", async () => {
    using bench = new Wan22Bench();
    truncateSync(join(bench.base, 'Wan2.1_VAE.pth'), 134);
    await expect(checkBase(bench.base)).rejects.toThrow(/has only 134 bytes/);
    truncateSync(join(bench.base, 'Wan2.1_VAE.pth'), 507_609_880);
    writeFileSync(join(bench.base, 'low_noise_model/config.json'), '{"in_dim": 16}');
    await expect(checkBase(bench.base)).rejects.toThrow(/another model than Wan2\.2-I2V-A14B/);
  });
});

describe('LoRAs', () => {
  const high = (path: string) => ({ target: 'high_noise', path, strength: 1 }) as const;
  const low = (path: string) => ({ target: 'low_noise', path, strength: 1 }) as const;
  const HIGH = 'wan2.2_i2v_A14b_high_noise_lora_rank64.safetensors';
  const LOW = 'wan2.2_i2v_A14b_low_noise_lora_rank64.safetensors';

  it.each(['bf16', 'fp8', 'int8'] as const)('of both experts are taken with weights in %s', async (weights) => {
    await expect(checkLoras([high(loraFile(HIGH)), low(loraFile(LOW))], weights)).resolves.toBeUndefined();
    await expect(checkLoras([], weights)).resolves.toBeUndefined();
  });

  it('are two files, also where two names lead to one', async () => {
    const file = loraFile('style.safetensors');
    const names = ['style_high_noise.safetensors', 'style_low_noise.safetensors'].map((name) => join(folder, name));
    for (const name of names) symlinkSync(file, name);
    await expect(checkLoras([high(names[0]!), low(names[1]!)], 'bf16')).rejects.toThrow(/for both experts/);
  });

  it('given to the wrong expert are refused', async () => {
    await expect(checkLoras([high(loraFile(LOW)), low(loraFile(HIGH))], 'bf16')).rejects.toThrow(
      /is for low_noise, and video\.baseClips\.loras gives it to high_noise/,
    );
    const told = loraFile('style.safetensors', { ss_output_name: 'style_low_noise' });
    await expect(checkLoras([high(told)], 'bf16')).rejects.toThrow(/is for low_noise/);
  });

  it('of one expert alone are allowed, and said, where they can be merged', async () => {
    await expect(checkLoras([high(loraFile(HIGH))], 'bf16')).resolves.toMatch(/the high_noise expert alone/);
    await expect(checkLoras([high(loraFile(HIGH))], 'fp8')).rejects.toThrow(/one for each expert or none/);
  });

  it.each<[string, () => Parameters<typeof checkLoras>[0], RegExp]>([
    ['two for one expert', () => [high(loraFile(HIGH)), high(loraFile(HIGH))], /2 entries for high_noise/],
    ['one that is not there', () => [high('/nowhere/high_noise.safetensors')], /is no file/],
    ['one that is no safetensors file', () => [high(header('nonsense'))], /no safetensors file/],
    [
      'one that says nothing of its expert',
      () => [high(loraFile('style.safetensors'))],
      /Put high_noise into its name/,
    ],
    [
      'one for another network',
      () => [high(loraFile(HIGH, {}, { 'lora_unet_down_blocks_0.lora_up.weight': { type: 'F16', shape: [4, 4] } }))],
      /LoRA of Wan's blocks/,
    ],
    [
      'one for a block that is not there',
      () => [high(loraFile(HIGH, {}, { 'blocks.40.self_attn.q.lora_A.weight': { type: 'F16', shape: [4, 4] } }))],
      /LoRA of Wan's blocks/,
    ],
    [
      'a whole model',
      () => [high(loraFile(HIGH, {}, { 'blocks.0.self_attn.q.weight': { type: 'F16', shape: [4, 4] } }))],
      /LoRA of Wan's/,
    ],
  ])('are refused: %s', async (_, loras, sentence) => {
    await expect(checkLoras(loras(), 'bf16')).rejects.toThrow(sentence);
  });
});
