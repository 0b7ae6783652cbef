import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { freeBytes } from '../../../models/disk-space.ts';
import { VideoError } from '../../contracts.ts';
import { checkBase, checkExperts, checkSteps } from './checks.ts';
import { checkLoras } from './lora-checks.ts';
import { identityOf, wan22Files } from './model-files.ts';
import { lightx2vConfig, placementFor, type Setup, setupFor, VIDEO_SIDE } from './presets.ts';
import type { Wan22Machine, Wan22Settings, Wan22Task } from './settings.ts';
import type { Wan22Log, Wan22World } from './world.ts';

/** What LightX2V is started with. */
export type Prepared = {
  /** The base model's folder. */
  readonly model: string;
  /** What is written down for it. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Which of several cards. */
  readonly card: number | undefined;
  /** So many LoRAs become part of the weights, which LightX2V says. */
  readonly mergedLoras: number;
  /** For the log. */
  readonly summary: string;
};

const LEAST_DISK_BYTES = 1e9;

/**
 * Looks at settings, files (which are fetched if need be; `onProgress` hears the share) and machine, all before anything is
 * started; rejects with a `VideoError` that names the file or setting, and the fix.
 */
export async function prepare(
  settings: Wan22Settings,
  world: Wan22World,
  task: Wan22Task,
  log: Wan22Log,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<Prepared> {
  checkSteps(settings);
  const machine = (await world.look?.(signal)) ?? world.machine;
  const planned = setupFor(settings, machine);
  const say = (line: string) => log.info(`wan22: ${line}`);
  const files = await wan22Files(settings, planned.weights, world.store, say, onProgress, signal);
  await checkBase(files.base);
  const isOwn = settings.highNoise !== '' && settings.lowNoise !== '';
  const weights = await checkExperts(files, isOwn ? settings.weights : planned.weights);
  // Only now it is known what the user's own files are.
  const setup = setupFor({ preset: settings.preset, weights }, machine);
  const warning = await checkLoras(settings.loras, weights);
  if (warning) log.warn(`wan22: ${warning}`);
  await checkDisk();
  const placement = placementFor(setup, machine);
  const isMerged = weights === 'bf16';
  const cards = machine.gpus.filter(({ maker }) => maker === 'nvidia').length;
  return {
    model: files.base,
    config: lightx2vConfig(settings, setup, placement, files, task),
    card: cards > 1 ? setup.index : undefined,
    mergedLoras: isMerged ? settings.loras.length : 0,
    summary: `${setup.preset}, ${weights}, offload ${placement.offload}`,
  };
}

async function checkDisk(): Promise<void> {
  const free = await freeBytes(tmpdir());
  if (free >= LEAST_DISK_BYTES) return;
  const gb = (free / 1e9).toFixed(1);
  throw new VideoError(`The disk of ${tmpdir()} has ${gb} GB free, and videos need 1 GB. Free some.`);
}

/** Of all that changes what is seen, apart from picture and words; a machine without a card is known by that. */
export function versionOf(settings: Wan22Settings, machine: Wan22Machine): string {
  const { frames, steps, boundaryStep } = settings;
  const setup = knownSetup(settings, machine);
  const about = {
    ...{ preset: setup?.preset, weights: setup?.weights, models: identityOf(settings, setup?.weights) },
    ...{ frames, steps, boundaryStep, side: VIDEO_SIDE },
  };
  return `wan22-${createHash('sha256').update(JSON.stringify(about)).digest('hex').slice(0, 16)}`;
}

function knownSetup(settings: Wan22Settings, machine: Wan22Machine): Setup | undefined {
  try {
    return setupFor(settings, machine);
  } catch {
    return undefined;
  }
}
