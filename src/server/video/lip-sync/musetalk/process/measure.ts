import { cpus } from 'node:os';
import { converted } from '../convert/converted.ts';
import { readExamples } from '../convert/examples.ts';
import { BATCHES, type Batch, type Device } from '../networks.ts';
import { askedCard } from './memory.ts';
import { inOwnProcess } from './own-process.ts';
import { repeated } from './tensors.ts';

/** How quick MuseTalk is on a device. */
export type Speed = {
  readonly device: Device;
  /** The card's or the processor's name, where it is known. */
  readonly name?: string;
  /** With batches of eight; on the CPU, which paints one by one, that is the speed of any batch. */
  readonly framesPerSecond: number;
  /** From the log-mel of some speech, everything loaded, to its first batch of four frames; on the CPU of one. */
  readonly firstBatchMs: number;
  /** Frames per second by the size of the batch. */
  readonly byBatch: Readonly<Partial<Record<Batch, number>>>;
  /** What the card's memory holds after that, of all programs, in bytes; where nvidia-smi tells it. */
  readonly cardBytes?: number;
};

const FIRST: Batch = 4;
const ROUNDS = 5;
/** Tokens that the first batch needs: those of four frames, and what they hear around them. */
const TOKENS = 16;

/**
 * Measures the converted networks in `folder` on a device, in a process of their own. Rejects with a `VideoError` where they do
 * not compute there, and with the signal's reason once that aborts.
 */
export async function measureSpeed(
  folder: string,
  device: 'auto' | Device,
  gpu: number,
  signal: AbortSignal,
): Promise<Speed> {
  signal.throwIfAborted();
  const { width } = converted(folder);
  const { speech, frame } = await readExamples(folder);
  const settings = { folder, device, gpu, mask: 'jaw', margin: 0 } as const;
  return inOwnProcess(
    settings,
    async (ask) => {
      const hear = () => ask('speech', speech.inputs.mel!.data, 0, TOKENS);
      const { states, latents } = frame.inputs;
      const paint = (batch: Batch) =>
        ask('faces', repeated(states!, batch).data, repeated(latents!, batch).data, width);
      // Loads, and on a card makes it ready for each size.
      await hear();
      await paint(1);
      const chosen = await ask('device');
      const onCpu = chosen.device === 'cpu';
      const rounds = onCpu ? 1 : ROUNDS;
      const firstBatchMs = await timed(async () => {
        await hear();
        await paint(onCpu ? 1 : FIRST);
      }, rounds);
      const byBatch: Partial<Record<Batch, number>> = {};
      for (const batch of onCpu ? ([1] as const) : BATCHES) {
        byBatch[batch] = (1_000 * batch) / (await timed(() => paint(batch), rounds));
      }
      const framesPerSecond = byBatch[onCpu ? 1 : 8]!;
      const name = onCpu ? cpus()[0]?.model : await askedCard(gpu, 'name');
      const used = onCpu ? undefined : Number(await askedCard(gpu, 'memory.used'));
      const facts = { device: chosen.device, framesPerSecond, firstBatchMs, byBatch };
      return { ...facts, ...(name ? { name } : {}), ...(used ? { cardBytes: used * 2 ** 20 } : {}) };
    },
    signal,
  );
}

/** The median time of some rounds, in milliseconds. */
async function timed(work: () => Promise<unknown>, rounds: number): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b)[rounds >> 1]!;
}
