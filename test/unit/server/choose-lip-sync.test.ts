import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chooseLipSync } from '../../../src/server/choose-lip-sync.ts';
import { parseConfig } from '../../../src/server/config.ts';
import { lipSyncCheck } from '../../../src/server/doctor-lip-sync.ts';
import type { Gpu, Probe } from '../../../src/server/machine/machine.ts';
import type { PlanRequest } from '../../../src/server/machine/plan-request.ts';
import { ModelStore } from '../../../src/server/models/store.ts';
import { forgetSpeeds, keepSpeed, museTalkFolder, readSpeeds } from '../../../src/server/musetalk-speeds.ts';
import { planHere } from '../../../src/server/plan-here.ts';
import { reservedForVideo } from '../../../src/server/reserved-for-video.ts';
import { CONVERTER, factsFile } from '../../../src/server/video/lip-sync/musetalk/convert/converted.ts';
import { CARD_ROOM_BYTES } from '../../../src/server/video/lip-sync/musetalk/process/memory.ts';

const never = new AbortController().signal;
const card: Gpu = { maker: 'nvidia', name: 'RTX 9999', driver: '700.1', totalBytes: 24e9, freeBytes: 20e9 };
const WEIGHT_BYTES = 1.8e9;

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'voice-chat-lip-sync-'));
});
afterEach(() => rm(cache, { recursive: true, force: true }));

const configOf = (lipSync: object, video: object = {}) =>
  parseConfig(JSON.stringify({ cache: { folder: cache }, video: { enabled: true, lipSync, ...video } }));

async function convert(version = 'v1'): Promise<void> {
  const folder = museTalkFolder(cache);
  await mkdir(folder, { recursive: true });
  const facts = { converter: CONVERTER, version, width: 384, weightBytes: WEIGHT_BYTES, cpuBytes: 6e9, files: {} };
  await writeFile(factsFile(folder), JSON.stringify(facts));
}

const measured = (framesPerSecond: number, over: object = {}) =>
  keepSpeed(cache, {
    ...{ version: 'v1', device: 'cuda', card: card.name, driver: card.driver!, framesPerSecond, firstBatchMs: 90 },
    ...over,
  });

const choose = (lipSync: object, cards: readonly Gpu[] = [card]) =>
  chooseLipSync(configOf(lipSync), never, async () => cards);

describe('the lip-sync that is chosen', () => {
  it('is the one that is named, without a look at the cards', async () => {
    const look = () => Promise.reject(new Error('The cards were looked for.'));
    for (const lipSync of [{ engine: 'visemes' }, { engine: 'remote', baseUrl: 'http://there:8000', token: 't' }]) {
      expect(await chooseLipSync(configOf(lipSync), never, look)).toEqual({ settings: lipSync });
    }
    await convert();
    const { settings } = await chooseLipSync(configOf({ engine: 'musetalk', device: 'cpu', margin: 4 }), never, look);
    const common = { engine: 'musetalk', device: 'cpu', gpu: 0, mask: 'jaw', margin: 4 };
    expect(settings).toEqual({ ...common, folder: museTalkFolder(cache), version: 'v1', width: 384 });
  });

  it('is visemes, with the fix, where MuseTalk is named and not here', async () => {
    const { settings, problem } = await choose({ engine: 'musetalk' });
    expect(settings).toEqual({ engine: 'visemes' });
    expect(problem).toMatch(/voice-chat models pull musetalk/);
  });

  it('is MuseTalk by itself only where this card was measured to be quick enough', async () => {
    const chosen = async (cards?: readonly Gpu[]) => {
      const { settings, why } = await choose({ engine: 'auto' }, cards);
      return [settings.engine, why];
    };
    expect(await chosen()).toEqual(['visemes', expect.stringContaining('models pull musetalk')]);
    await convert();
    expect(await chosen([])).toEqual(['visemes', expect.stringContaining('none was found')]);
    expect(await chosen()).toEqual(['visemes', expect.stringContaining('not measured on RTX 9999')]);
    await measured(24.9);
    expect(await chosen()).toEqual([
      'visemes',
      'RTX 9999 paints 24.9 frames a second with MuseTalk, and 25 are needed',
    ]);
    await measured(25);
    expect(await chosen()).toEqual(['musetalk', 'RTX 9999 paints 25.0 frames a second with MuseTalk']);
    // What was measured with another driver, on another card, of other networks or on the CPU says nothing.
    expect((await chosen([{ ...card, driver: '700.2' }]))[0]).toBe('visemes');
    expect((await chosen([{ ...card, name: 'RTX 1' }]))[0]).toBe('visemes');
    await convert('v2');
    expect((await chosen())[0]).toBe('visemes');
    await measured(99, { version: 'v2', device: 'cpu' });
    expect((await chosen())[0]).toBe('visemes');
  });

  it('takes the device that was measured', async () => {
    await convert();
    await measured(60, { device: 'webgpu' });
    expect((await choose({ engine: 'auto' })).settings).toMatchObject({ engine: 'musetalk', device: 'webgpu' });
  });
});

describe('what was measured', () => {
  it('is kept once for each device, card and driver, and can be forgotten', async () => {
    await measured(10);
    await measured(60, { device: 'webgpu' });
    await measured(30);
    expect((await readSpeeds(cache)).map((one) => [one.device, one.framesPerSecond])).toEqual([
      ['webgpu', 60],
      ['cuda', 30],
    ]);
    await forgetSpeeds(cache);
    expect(await readSpeeds(cache)).toEqual([]);
  });

  it('counts for nothing where it is damaged', async () => {
    await measured(10);
    await writeFile(join(cache, 'musetalk', 'speeds.json'), '[{"version": 1}]');
    expect(await readSpeeds(cache)).toEqual([]);
  });
});

/** A machine with a card, as it was recorded. */
async function recorded(): Promise<{ probe: Probe; packages: PlanRequest['packages'] }> {
  return JSON.parse(await readFile(new URL('../../fixtures/probes/05-rtx-4090.json', import.meta.url), 'utf8'));
}

describe('what MuseTalk takes of a card', () => {
  it('is said where it is what paints, and of the card that it paints on', async () => {
    const reserved = (lipSync: object, video: object = {}, gpus = [card]) =>
      reservedForVideo(configOf(lipSync, video), gpus, never);
    const taken = { card, bytes: WEIGHT_BYTES + CARD_ROOM_BYTES };
    expect(await reserved({ engine: 'musetalk' })).toBeUndefined();
    await convert();
    expect(await reserved({ engine: 'musetalk' })).toEqual(taken);
    expect(await reserved({ engine: 'auto' })).toBeUndefined();
    await measured(60);
    expect(await reserved({ engine: 'auto' })).toEqual(taken);
    expect(await reserved({ engine: 'musetalk', device: 'cpu' })).toBeUndefined();
    expect(await reserved({ engine: 'musetalk' }, {}, [])).toBeUndefined();
    expect(await reserved({ engine: 'musetalk' }, { enabled: false })).toBeUndefined();
    expect(await reserved({ engine: 'visemes' })).toBeUndefined();
    expect(await reserved({ engine: 'musetalk', gpu: 7 })).toBeUndefined();
    const other: Gpu = { ...card, name: 'RTX 1' };
    expect(await reserved({ engine: 'musetalk', gpu: 1 }, {}, [card, other])).toEqual({ ...taken, card: other });
  });
});

describe('the plan for the conversation', () => {
  it('leaves that on the card, and says so', async () => {
    const { probe, packages } = await recorded();
    const plan = async (lipSync: object, gpus = probe.gpus) => {
      const config = configOf(lipSync);
      const store = new ModelStore({ ...config.models, folder: cache, offline: true });
      const world = { machine: { ...probe, gpus }, packages };
      return (await planHere(config, store, never, world)).plan(true);
    };
    await convert();
    const [without, beside] = [await plan({ engine: 'visemes' }), await plan({ engine: 'musetalk' })];
    expect(beside.vramBytes).toBeLessThanOrEqual(probe.gpus[0]!.freeBytes - WEIGHT_BYTES - CARD_ROOM_BYTES);
    expect(beside.vramBytes).toBeLessThan(without.vramBytes);
    expect(beside.notes.join()).toContain('5.8 GB of NVIDIA GeForce RTX 4090 are left to the talking face.');
    // What another card paints takes nothing of it.
    const two = [probe.gpus[0]!, { ...probe.gpus[0]!, name: 'RTX 1', freeBytes: 8e9 }];
    const [other, same] = [await plan({ engine: 'musetalk', gpu: 1 }, two), await plan({ engine: 'musetalk' }, two)];
    expect(other.vramBytes).toBe(without.vramBytes);
    expect(same.vramBytes).toBe(beside.vramBytes);
  });
});

describe('what doctor says of the lip-sync', () => {
  const check = (lipSync: object, gpus: readonly Gpu[] = [card]) => lipSyncCheck(configOf(lipSync), gpus, never);

  it('names what is missing, and the fix', async () => {
    expect(await check({ engine: 'visemes' })).toMatchObject({ result: 'pass' });
    expect(await check({ engine: 'auto' })).toMatchObject({ result: 'pass', found: expect.stringMatching(/^visemes/) });
    const fix = expect.stringContaining('voice-chat models pull musetalk');
    expect(await check({ engine: 'musetalk' })).toMatchObject({ result: 'warn', fix });
    await convert();
    expect(await check({ engine: 'musetalk', device: 'cpu' })).toMatchObject({
      result: 'warn',
      fix: 'Set video.lipSync.device: auto.',
    });
  });

  it('sends nobody without a card for 4 GB, and does not advise what cannot help', async () => {
    const none = {
      result: 'warn',
      found: 'musetalk: no card was found, and the CPU takes seconds for each frame',
      fix: 'Set video.lipSync.engine: visemes.',
    };
    expect(await check({ engine: 'musetalk' }, [])).toEqual(none);
    expect(await check({ engine: 'musetalk', device: 'cpu' }, [])).toEqual(none);
    const fewer = {
      result: 'warn',
      found: 'musetalk: there is no card 7, for they are counted from 0 and there is 1',
      fix: 'Set video.lipSync.gpu: 0.',
    };
    expect(await check({ engine: 'musetalk', gpu: 7 })).toEqual(fewer);
    await convert();
    expect(await check({ engine: 'musetalk' }, [])).toEqual(none);
    expect(await check({ engine: 'musetalk', gpu: 7 })).toEqual(fewer);
  });

  it('says why a card that auto means does not run it', async () => {
    await convert();
    expect(await check({ engine: 'auto' })).toMatchObject({
      result: 'warn',
      found: 'visemes: MuseTalk does not run on RTX 9999',
      fix: expect.stringMatching(/damaged|CUDA/),
    });
  });

  it('says whether the card is quick enough, and what of its memory it takes', async () => {
    await convert();
    await measured(41.3);
    const { result, found } = await check({ engine: 'musetalk' });
    expect(result).toBe('pass');
    expect(found).toContain('41.3 frames a second on RTX 9999 (cuda), the first after 90 ms');
    expect(found).toContain('it takes 5.8 GB of the card, and 20.0 GB are free');
    expect(await check({ engine: 'auto' })).toMatchObject({ found: expect.stringMatching(/^musetalk: /) });
    expect(await check({ engine: 'musetalk' }, [{ ...card, freeBytes: 5e9 }])).toMatchObject({
      result: 'warn',
      fix: expect.stringContaining('End what else uses the card'),
    });
    await measured(12);
    expect(await check({ engine: 'musetalk' })).toMatchObject({
      result: 'warn',
      found: expect.stringContaining('25 are needed'),
    });
  });
});
