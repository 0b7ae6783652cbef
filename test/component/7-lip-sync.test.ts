import { mkdtempSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeFullSizeSources } from '../../src/bench/musetalk-weights.ts';
import { defaultCacheDir } from '../../src/server/models/debian-packages.ts';
import { museTalkFolder } from '../../src/server/musetalk-speeds.ts';
import type * as Convert from '../../src/server/video/lip-sync/musetalk/convert/convert.ts';
import { GRAPHS, graphFile, readConverted } from '../../src/server/video/lip-sync/musetalk/convert/converted.ts';
import { type Examples, readExamples } from '../../src/server/video/lip-sync/musetalk/convert/examples.ts';
import { problemOf } from '../../src/server/video/lip-sync/musetalk/convert/parity.ts';
import type { MuseTalkNetworks } from '../../src/server/video/lip-sync/musetalk/networks.ts';
import { hasCard } from '../../src/server/video/lip-sync/musetalk/process/choose-device.ts';
import type * as Measure from '../../src/server/video/lip-sync/musetalk/process/measure.ts';
import type * as StartNetworks from '../../src/server/video/lip-sync/musetalk/process/start-networks.ts';
import { built } from '../fixtures/built.ts';
import { notInstalled } from '../fixtures/installed.ts';

const forever = new AbortController().signal;
const PART = 'server/video/lip-sync/musetalk';
const SLOW = 1_200_000;
/** Where `voice-chat models pull musetalk` converts to, as the default configuration has it. */
const pulled = museTalkFolder(defaultCacheDir());
// By hand: MUSETALK_RANDOM=1 npm run test:component -- 7-lip-sync takes some minutes, 8 GB of memory and 7 GB of disk.
const isRandom = process.env.MUSETALK_RANDOM === '1';
const lacking =
  notInstalled('onnxruntime-node') ??
  (isRandom || (await readConverted(pulled))
    ? undefined
    : ' (skipped: run voice-chat models pull musetalk, or set MUSETALK_RANDOM=1 for random weights of the true size)');
const card = await hasCard();

describe.skipIf(lacking)(`MuseTalk at its full size${lacking ?? ''}`, { timeout: SLOW }, () => {
  let scratch: string;
  let folder: string;
  let examples: Examples;
  let networks: MuseTalkNetworks;
  beforeAll(async () => {
    scratch = mkdtempSync(join(tmpdir(), 'voice-chat-component-7-'));
    folder = pulled;
    if (isRandom) {
      folder = join(scratch, 'converted');
      const { convert } = await built<typeof Convert>(`${PART}/convert/convert.js`);
      await convert(await writeFullSizeSources(join(scratch, 'sources')), folder, () => {}, forever);
    }
    examples = await readExamples(folder);
    const { startNetworks } = await built<typeof StartNetworks>(`${PART}/process/start-networks.js`);
    const settings = { folder, device: 'cpu', gpu: 0, mask: 'jaw', margin: 10 } as const;
    networks = startNetworks(settings, (sentence) => console.log(sentence));
  }, SLOW);
  afterAll(async () => {
    await networks?.[Symbol.asyncDispose]();
    rmSync(scratch, { recursive: true });
  });

  it('7.1 is converted, every graph of it', async () => {
    const made = (await readConverted(folder))!;
    expect(made.width).toBe(384);
    expect(made.weightBytes).toBeGreaterThan(1.7e9);
    console.log(`painting on the CPU took ${(made.cpuBytes / 1e9).toFixed(1)} GB; parity`, made.parity);
    for (const name of GRAPHS) expect((await stat(graphFile(folder, name))).size).toBeGreaterThan(10_000);
  });

  it('7.2 hears speech', async () => {
    const { mel } = examples.speech.inputs;
    const states = await networks.speech(mel!.data as Float32Array, 0, 1500, forever);
    expect(problemOf({ states: { dims: [1, 1500, 5, 384], data: states } }, examples.speech.outputs)).toBeUndefined();
  });

  it('7.3 sees a face', async () => {
    const latents = await networks.latents(examples.face.inputs.face!.data as Uint8Array, forever);
    expect(problemOf({ latents: { dims: [1, 8, 32, 32], data: latents } }, examples.face.outputs)).toBeUndefined();
    const classes = await networks.parse(examples.parser.inputs.picture!.data as Float32Array, forever);
    expect(problemOf({ classes: { dims: [1, 512, 512], data: classes } }, examples.parser.outputs)).toBeUndefined();
    const { x, y } = await networks.pose(examples.pose.inputs.picture!.data as Float32Array, forever);
    expect([x.length, y.length]).toEqual([133 * 576, 133 * 768]);
  });

  it('7.4 paints a frame on the CPU', async () => {
    const { states, latents } = examples.frame.inputs;
    const began = performance.now();
    const faces = await networks.faces(states!.data as Float32Array, latents!.data as Float32Array, forever);
    console.log(`loaded and painted in ${((performance.now() - began) / 1_000).toFixed(1)} s`);
    expect(problemOf({ faces: { dims: [1, 256, 256, 3], data: faces } }, examples.frame.outputs)).toBeUndefined();
  });

  it.skipIf(!card)(`7.5 paints on the card as on the CPU${card ? '' : ' (skipped: there is no card)'}`, async () => {
    const { measureSpeed } = await built<typeof Measure>(`${PART}/process/measure.js`);
    await networks[Symbol.asyncDispose]();
    // Opening it there compares it with the CPU.
    const cuda = await measureSpeed(folder, 'cuda', 0, forever).catch((error: Error) => error);
    const speed = cuda instanceof Error ? await measureSpeed(folder, 'webgpu', 0, forever) : cuda;
    console.log(speed);
    expect(speed.framesPerSecond).toBeGreaterThan(0);
  });
});
