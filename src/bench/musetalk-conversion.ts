import { spawn } from 'node:child_process';
import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Converted, Sources } from '../server/video/lip-sync/musetalk/convert/converted.ts';
import { measureSpeed } from '../server/video/lip-sync/musetalk/process/measure.ts';
import { writeFullSizeSources } from './musetalk-weights.ts';
import { peakMemory } from './process-memory.ts';
import type { Row, Say } from './row.ts';

const MOST_SECONDS = 300;
const MOST_GB = 8;
const DISK_GB = 7;
const CONVERT = fileURLToPath(new URL('./musetalk-convert-process.js', import.meta.url));

/**
 * The conversion of MuseTalk's networks at their full size, with random weights in files as they are published: how long it
 * takes with all its checks, and the most memory that it and its processes hold together. What a frame takes on this CPU is
 * said beside it. Where the machine is too small for it, rows without a verdict.
 */
export async function musetalkConversion(say: Say): Promise<Row[]> {
  const { bavail, bsize } = await statfs(tmpdir());
  const small =
    bavail * bsize < DISK_GB * 1e9
      ? `${DISK_GB} GB on the disk of ${tmpdir()}`
      : freemem() < MOST_GB * 1e9
        ? `${MOST_GB} GB of memory`
        : '';
  if (small) {
    say(`skipped: the conversion at full size needs ${small}, which are not free here`);
    return [];
  }
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-musetalk-'));
  try {
    const sources = await writeFullSizeSources(join(folder, 'sources'));
    const began = performance.now();
    const { made, peakBytes } = await converted(sources, join(folder, 'converted'));
    const seconds = (performance.now() - began) / 1_000;
    say(`UNet and autoencoder ${gb(made.weightBytes)} GB in 16 bits; a frame on the CPU takes ${gb(made.cpuBytes)} GB`);
    const { half, reference } = made.parity;
    say(`16 bits against 32: ${half.mean.toFixed(3)} levels on the average, ${half.max} at most`);
    say(`off from the stored results: ${JSON.stringify(reference)}`);
    const speed = await measureSpeed(made.folder, 'cpu', 0, new AbortController().signal);
    say(`CPU (${speed.name}): ${(1 / speed.framesPerSecond).toFixed(1)} s for a frame`);
    return [row('musetalk-conversion', 's', seconds, MOST_SECONDS), ...memoryRow(peakBytes)];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function converted(
  sources: Sources,
  into: string,
): Promise<{ readonly made: Converted; readonly peakBytes: number | undefined }> {
  const child = spawn(process.execPath, [CONVERT, JSON.stringify(sources), into], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new AbortController();
  const peak = peakMemory(child.pid!, ended.signal);
  let json = '';
  child.stdout.on('data', (bytes: Buffer) => {
    json += bytes.toString('utf8');
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  ended.abort();
  const peakBytes = await peak;
  if (code !== 0) throw new Error(`The conversion failed (exit code ${code}).`);
  return { made: JSON.parse(json) as Converted, peakBytes };
}

const memoryRow = (bytes: number | undefined): Row[] =>
  bytes === undefined ? [] : [row('musetalk-conversion-memory', 'GB', bytes / 1e9, MOST_GB)];

const row = (id: string, unit: string, figure: number, most: number): Row => {
  const value = Math.round(figure * 100) / 100;
  return { id, unit, n: 1, value, bar: `<= ${most}`, ok: figure <= most };
};

const gb = (bytes: number): string => (bytes / 1e9).toFixed(2);
