import { readdir } from 'node:fs/promises';
import { VideoError } from '../../../contracts.ts';
import { graphFile } from '../convert/converted.ts';
import type { Example } from '../convert/examples.ts';
import { problemOf } from '../convert/parity.ts';
import type { Device, MuseTalkSettings } from '../networks.ts';
import { nameOf, type openGraph } from './graph-session.ts';

/** A device that was tried, and whether it paints with 16-bit numbers or, where it cannot, with 32. */
export type ChosenDevice = { readonly device: Device; readonly precision: 'f16' | 'f32' };

/** What the choice needs of the machine. */
export type DeviceWorld = { readonly open: typeof openGraph; readonly hasCard: () => Promise<boolean> };

const PRECISIONS: Readonly<Record<Device, readonly ChosenDevice['precision'][]>> = {
  cuda: ['f16'],
  // Some drivers offer no 16-bit numbers.
  webgpu: ['f16', 'f32'],
  cpu: ['f32'],
};

/**
 * The device that was asked for; for `auto` CUDA, else WebGPU on a real card, else the CPU, without those in `refused`. Each is
 * tried with a small network of known results. Rejects with a `VideoError` where none is left.
 */
export async function chooseDevice(
  { device, folder, gpu }: Pick<MuseTalkSettings, 'device' | 'folder' | 'gpu'>,
  trial: Example,
  refused: Map<Device, string>,
  { open, hasCard }: DeviceWorld,
): Promise<ChosenDevice> {
  const candidates: readonly Device[] = device === 'auto' ? ['cuda', 'webgpu', 'cpu'] : [device];
  for (const candidate of candidates) {
    if (refused.has(candidate)) continue;
    if (device === 'auto' && candidate === 'webgpu' && !(await hasCard())) {
      refused.set('webgpu', 'There is no card.');
      continue;
    }
    let why = '';
    for (const precision of PRECISIONS[candidate]) {
      try {
        await using graph = await open(graphFile(folder, `trial-${precision}`), candidate, gpu);
        const problem = problemOf(await graph.run(trial.inputs), trial.outputs);
        if (problem === undefined) return { device: candidate, precision };
        why = wrongNumbers(candidate, problem);
      } catch (error) {
        if (!(error instanceof VideoError)) throw error;
        why = error.message;
      }
    }
    refused.set(candidate, why);
  }
  throw new VideoError([...refused.values()].at(-1) ?? 'MuseTalk has no device left to compute on.');
}

/** That a device computes wrongly, and what helps. */
export const wrongNumbers = (device: Device, problem: string): string =>
  device === 'cpu'
    ? `MuseTalk’s files seem damaged, for ${problem}; run voice-chat models verify musetalk.`
    : `MuseTalk computes wrongly with ${nameOf(device)} (${problem}); update the card’s driver, or set video.lipSync.device to another.`;

/** Whether there is a card; without one a Vulkan driver may compute on the CPU, slower than the CPU itself. */
export async function hasCard(): Promise<boolean> {
  if (process.platform !== 'linux') return true;
  const [render, devices] = await Promise.all(['/dev/dri', '/dev'].map((folder) => readdir(folder).catch(() => [])));
  return render!.some((name) => name.startsWith('renderD')) || devices!.some((name) => /^nvidia\d|^dxg$/.test(name));
}
