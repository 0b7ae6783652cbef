import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seeded } from '../server/engines/builtin/random.ts';
import { hungryWeights } from './hungry-weights.ts';
import { MALFORMATIONS, malformed } from './malform.ts';
import type { Opened } from './open-weight-files.ts';
import type { Row, Say } from './row.ts';
import { type TensorSource, writeSafetensors, writeTorchFile } from './weight-files.ts';

const FUZZED = 1_000;
const MOST_MB = 1_000;
const STUCK_MS = 60_000;
const SEED = 20_250_529;

/**
 * What comes of damaged and hostile files of weights, each opened and read to its end in a process of its own: 1,000 made from
 * good ones of both formats and PyTorch's older one, and some that ask for memory or commands. The figure is the most memory that
 * the process took beyond what it began with; each file must be read, or refused in one sentence that names it.
 */
export async function malformedWeights(say: Say): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-malformed-'));
  const marker = join(folder, 'executed');
  try {
    const good = await goodFiles(folder);
    await using reader = new Reader();
    const began = (await reader.open(good[0]!.file)).peakBytes;
    for (const { file, kind } of good) {
      const { outcome, message } = await reader.open(file);
      if (outcome !== 'read') throw new Error(`The good file (${kind}) could not be read: ${message}`);
    }
    const counts = new Map<string, { read: number; refused: number }>();
    const wrong: string[] = [];
    let peak = began;
    const attempt = async (group: string, bytes: Buffer) => {
      const file = join(folder, 'malformed');
      await writeFile(file, bytes);
      const { outcome, message, peakBytes } = await reader.open(file);
      if (peakBytes > peak + 50e6) say(`${group} took ${Math.round((peakBytes - peak) / 1e6)} MB more`);
      peak = Math.max(peak, peakBytes);
      const isClear =
        outcome === 'read' || (outcome === 'refused' && message.includes(file) && /^[^\n]+\.$/.test(message));
      if (!isClear) wrong.push(`${group}: ${message}`);
      const count = counts.get(group) ?? { read: 0, refused: 0 };
      if (outcome !== 'wrong') count[outcome]++;
      counts.set(group, count);
    };
    const random = seeded(SEED);
    for (let i = 0; i < FUZZED; i++) {
      const { kind, bytes } = good[i % good.length]!;
      const other = good[Math.floor(random() * good.length)]!.bytes;
      await attempt(kind, malformed(bytes, other, MALFORMATIONS[i % MALFORMATIONS.length]!, random));
    }
    for (const { name, bytes } of hungryWeights(marker)) await attempt(name, bytes);
    for (const [group, { read, refused }] of counts) say(`${group}: ${read} read, ${refused} refused`);
    for (const one of wrong) say(`WRONG ${one}`);
    const isExecuted = existsSync(marker);
    if (isExecuted) say('WRONG: a command was run');
    const worst = Math.round((peak - began) / 1e6);
    const n = [...counts.values()].reduce((sum, { read, refused }) => sum + read + refused, 0);
    const ok = wrong.length === 0 && !isExecuted && worst <= MOST_MB && n >= FUZZED;
    const bar = `each read or refused, nothing run, ≤ ${MOST_MB}`;
    return [{ id: 'malformed-weights', unit: 'MB', n, worst, bar, ok }];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function goodFiles(folder: string): Promise<{ kind: string; file: string; bytes: Buffer }[]> {
  const random = seeded(1);
  const tensor = (name: string, dims: number[], type: NonNullable<TensorSource['type']>): TensorSource => ({
    ...{ name, dims, type },
    fill: (room) => {
      for (let i = 0; i < room.length; i++) room[i] = random() - 0.5;
    },
  });
  const tensors = [
    tensor('conv_in.weight', [4, 2, 3, 3], 'f32'),
    tensor('conv_in.bias', [4], 'f16'),
    tensor('blocks.0.norm.weight', [8], 'bf16'),
    tensor('blocks.0.norm.bias', [8], 'f64'),
    tensor('scale', [], 'f32'),
  ];
  const kinds: Readonly<Record<string, (file: string) => Promise<void>>> = {
    safetensors: (file) => writeSafetensors(file, tensors),
    archive: (file) => writeTorchFile(file, tensors),
    'archive of 64 bits': (file) => writeTorchFile(file, tensors, { zip64: true, wrapped: 'state_dict' }),
    'before 1.6': (file) => writeTorchFile(file, tensors, { legacy: true }),
  };
  const files = [];
  for (const [kind, write] of Object.entries(kinds)) {
    const file = join(folder, kind);
    await write(file);
    files.push({ kind, file, bytes: await readFile(file) });
  }
  return files;
}

/** The process that opens files; a new one where a file ended it. */
class Reader implements AsyncDisposable {
  #child: ChildProcess | undefined;

  async open(file: string): Promise<Opened> {
    this.#child ??= fork(new URL('./open-weight-files.js', import.meta.url));
    const child = this.#child;
    const ended = new AbortController();
    const end = once(child, 'exit', { signal: ended.signal }).then(([code, signal]): Opened => {
      this.#child = undefined;
      return { outcome: 'wrong', message: `the process ended (${signal ?? code})`, peakBytes: 0 };
    });
    end.catch(() => {});
    const answer = once(child, 'message', { signal: ended.signal }).then(([opened]) => opened as Opened);
    answer.catch(() => {});
    // A file that is never done with counts as wrong too.
    const stuck = setTimeout(() => child.kill('SIGKILL'), STUCK_MS);
    child.send(file);
    try {
      return await Promise.race([answer, end]);
    } finally {
      clearTimeout(stuck);
      ended.abort();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    if (child === undefined) return;
    const end = once(child, 'exit');
    child.disconnect();
    await end;
  }
}
