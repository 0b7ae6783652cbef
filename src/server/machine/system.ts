import { readdir, readFile } from 'node:fs/promises';
import { arch, availableParallelism, cpus, freemem, platform, totalmem } from 'node:os';
import { freeBytes } from '../models/disk-space.ts';
import { type CommandRunner, runCommand } from '../models/run-command.ts';

/** All that the probe asks of the machine it runs on, so that another machine's answers can be played to it. */
export type System = {
  readonly platform: string;
  readonly arch: string;
  readonly node: string;
  readonly root: boolean;
  readonly cpuModel: string;
  /** Hardware threads that this process may use. */
  readonly threads: number;
  readonly totalMemory: number;
  readonly freeMemory: number;
  readonly run: CommandRunner;
  /** The text of a file, undefined where there is none. */
  read(path: string): Promise<string | undefined>;
  /** The names in a folder, none where there is no such folder. */
  list(folder: string): Promise<readonly string[]>;
  /** Free bytes of the disk that a folder is on, or will be when it is made. */
  freeDisk(folder: string): Promise<number>;
};

/** The machine this runs on. */
export const thisSystem = (): System => ({
  platform: platform(),
  arch: arch(),
  node: process.versions.node,
  root: process.getuid?.() === 0,
  cpuModel: cpus()[0]?.model.trim() ?? 'unknown processor',
  threads: availableParallelism(),
  totalMemory: totalmem(),
  freeMemory: freemem(),
  run: runCommand,
  read: (path) => readFile(path, 'utf8').catch(() => undefined),
  list: (folder) => readdir(folder).catch(() => []),
  freeDisk: freeBytes,
});

/** What a command prints, undefined where it is missing, fails or takes more than `limitMs`. */
export async function outputOf(
  system: System,
  command: readonly [string, ...string[]],
  limitMs: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const [name, ...args] = command;
  const done = await tryRun(system, name, args, limitMs, signal);
  return typeof done === 'object' && done.code === 0 ? done.output : undefined;
}

/** How a command ended, or why there is no such thing: it is not installed, or it hung. */
export async function tryRun(
  { run }: System,
  command: string,
  args: readonly string[],
  limitMs: number,
  signal: AbortSignal,
): Promise<{ readonly code: number | null; readonly output: string } | 'missing' | 'hung'> {
  const limit = AbortSignal.timeout(limitMs);
  const hung = new Promise<'hung'>((resolve) => limit.addEventListener('abort', () => resolve('hung'), { once: true }));
  // A driver in trouble can hold its tools in the kernel, where no signal reaches them: they are not waited for.
  const ended = run(command, args, AbortSignal.any([limit, signal])).catch(() => (limit.aborted ? 'hung' : 'missing'));
  const first = await Promise.race([ended, hung]);
  signal.throwIfAborted();
  return first as Awaited<ReturnType<typeof tryRun>>;
}
