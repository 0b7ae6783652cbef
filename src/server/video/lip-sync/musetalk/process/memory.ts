import { execFile } from 'node:child_process';
import { freemem } from 'node:os';
import { VideoError } from '../../../contracts.ts';
import type { Converted } from '../convert/converted.ts';
import type { Device } from '../networks.ts';
import { nameOf } from './graph-session.ts';

/**
 * What a card needs beside the weights of the network that paints: room for eight frames at once, the runtime and the small
 * networks. An estimate: no card has been seen yet.
 */
export const CARD_ROOM_BYTES = 4e9;

/** What a device has free, in bytes; undefined where it does not tell. */
export type FreeBytes = (device: Device, gpu: number) => Promise<number | undefined>;

/** What the network that paints frames needs on a device, in bytes; `wide` where its weights are kept as 32 bits on a card. */
export const bytesNeeded = ({ weightBytes, cpuBytes }: Converted, device: Device, wide = false): number =>
  device === 'cpu' ? cpuBytes : (wide ? 2 : 1) * weightBytes + CARD_ROOM_BYTES;

/** Says what loading will take and what is free; rejects with a `VideoError` that names both where it is too little. */
export async function checkMemory(
  needed: number,
  device: Device,
  gpu: number,
  say: (sentence: string) => void,
  free: FreeBytes = freeBytes,
): Promise<void> {
  const available = await free(device, gpu);
  const where = device === 'cpu' ? 'memory' : `the memory of card ${gpu}`;
  if (available === undefined) {
    say(`MuseTalk takes ${gb(needed)} of ${where} on ${nameOf(device)}; how much is free cannot be told.`);
    return;
  }
  if (available >= needed) {
    say(`MuseTalk takes ${gb(needed)} of ${where} on ${nameOf(device)}, and ${gb(available)} are free.`);
    return;
  }
  const fix = device === 'cpu' ? 'end other programs' : 'end what else uses the card, choose a smaller chat model';
  throw new VideoError(
    `MuseTalk needs ${gb(needed)} of ${where} and ${gb(available)} are free; ${fix}, or set video.lipSync.engine to visemes.`,
  );
}

/** Asks the system, and of cards nvidia-smi. */
async function freeBytes(device: Device, gpu: number): Promise<number | undefined> {
  // Since Node 20.13; it knows of a container's limit.
  if (device === 'cpu') return Math.min(freemem(), process.availableMemory?.() ?? Number.POSITIVE_INFINITY);
  const free = await askedCard(gpu, 'memory.free');
  const megabytes = Number(free);
  return free && Number.isFinite(megabytes) ? megabytes * 2 ** 20 : undefined;
}

/** What nvidia-smi says of one card; undefined where there is none of that maker. */
export const askedCard = (gpu: number, what: 'memory.free' | 'memory.used' | 'name'): Promise<string | undefined> =>
  new Promise((resolve) => {
    const args = [`--query-gpu=${what}`, '--format=csv,noheader,nounits', '-i', String(gpu)];
    execFile('nvidia-smi', args, { timeout: 8_000 }, (error, stdout) =>
      resolve(error ? undefined : stdout.trim() || undefined),
    );
  });

const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
