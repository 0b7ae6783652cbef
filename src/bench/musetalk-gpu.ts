import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultCacheDir } from '../server/models/debian-packages.ts';
import { museTalkFolder } from '../server/musetalk-speeds.ts';
import { VideoError } from '../server/video/contracts.ts';
import { convert } from '../server/video/lip-sync/musetalk/convert/convert.ts';
import { readConverted } from '../server/video/lip-sync/musetalk/convert/converted.ts';
import { readExamples } from '../server/video/lip-sync/musetalk/convert/examples.ts';
import { difference } from '../server/video/lip-sync/musetalk/convert/parity.ts';
import { hasCard } from '../server/video/lip-sync/musetalk/process/choose-device.ts';
import { measureSpeed } from '../server/video/lip-sync/musetalk/process/measure.ts';
import { startNetworks } from '../server/video/lip-sync/musetalk/process/start-networks.ts';
import { writeFullSizeSources } from './musetalk-weights.ts';
import type { Row, Say } from './row.ts';

const LEAST_FPS = 40;
const MOST_FIRST_MS = 150;
const forever = new AbortController().signal;

/**
 * How many frames a second MuseTalk paints on this machine's card in batches of eight, and how soon its first four are there.
 * What `voice-chat models pull musetalk` converted is used where it lies in the usual cache, else random weights of the same
 * size. Where there is no card, rows without a verdict.
 */
export async function musetalkGpu(say: Say): Promise<Row[]> {
  if (!(await hasCard())) {
    say('skipped: this machine has no card');
    return [];
  }
  const usual = museTalkFolder(defaultCacheDir());
  const scratch = await mkdtemp(join(tmpdir(), 'voice-chat-musetalk-'));
  try {
    const known = await readConverted(usual);
    say(known ? 'the converted networks of this machine' : 'random weights of the true size');
    const sources = known ? undefined : await writeFullSizeSources(join(scratch, 'sources'));
    if (sources) await convert(sources, join(scratch, 'converted'), () => {}, forever);
    return await measured(known ? usual : join(scratch, 'converted'), say);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function measured(folder: string, say: Say): Promise<Row[]> {
  for (const device of ['cuda', 'webgpu'] as const) {
    try {
      const speed = await measureSpeed(folder, device, 0, forever);
      const { name = 'a card without a name', cardBytes, byBatch, framesPerSecond, firstBatchMs } = speed;
      const held = cardBytes === undefined ? '' : `; its memory holds ${(cardBytes / 1e9).toFixed(1)} GB`;
      say(`${name} by ${device}${held}`);
      const each = Object.entries(byBatch).map(([batch, fps]) => `${fps.toFixed(1)} at batch ${batch}`);
      say(`frames per second: ${each.join(', ')}`);
      await sayParity(folder, device, say);
      const round = (value: number) => Math.round(value * 10) / 10;
      return [
        {
          ...{ id: 'musetalk-gpu', unit: 'frames/s', n: 5, value: round(framesPerSecond) },
          ...{ bar: `>= ${LEAST_FPS}`, ok: framesPerSecond >= LEAST_FPS },
        },
        {
          ...{ id: 'musetalk-gpu-first', unit: 'ms', n: 5, value: round(firstBatchMs) },
          ...{ bar: `<= ${MOST_FIRST_MS}`, ok: firstBatchMs <= MOST_FIRST_MS },
        },
      ];
    } catch (error) {
      if (!(error instanceof VideoError)) throw error;
      say(error.message);
    }
  }
  say('skipped: the card cannot be used as it is');
  return [];
}

/** How far a card's faces lie from the CPU's, which were kept when the networks were converted. */
async function sayParity(folder: string, device: 'cuda' | 'webgpu', say: Say): Promise<void> {
  const { frame } = await readExamples(folder);
  await using networks = startNetworks({ folder, device, gpu: 0, mask: 'jaw', margin: 10 }, say);
  const { states, latents } = frame.inputs;
  const faces = await networks.faces(states!.data as Float32Array, latents!.data as Float32Array, forever);
  const { mean, max } = difference(faces, frame.outputs.faces!.data);
  say(`${device} against the CPU: ${mean.toFixed(3)} levels on the average, ${max} at most`);
}
