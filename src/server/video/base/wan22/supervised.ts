import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program and all that it starts, in a process group of their own. */
export type Supervised = {
  /** Of the group. */
  readonly pid: number | undefined;
  /** Settles when the whole group is gone, or never began. */
  readonly ended: Promise<void>;
  /** Ends the group, by force where asking does not help within `GRACE_MS`; settles when it is gone. */
  stop(): Promise<void>;
};

export type Program = {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Is deleted when the program has ended, also when we are no longer there to do it. */
  readonly folder: string;
  /** Every line that the program writes, to either output. */
  readonly onLine: (line: string) => void;
};

const GRACE_MS = 2_000;

/**
 * Runs the program beside a watcher that reads from us: when we are gone, however that came about, the watcher's input ends, and
 * it ends the program. With the program ends the whole group, this shell and the watcher included.
 */
const SCRIPT = `
folder=$1; shift
trap : TERM INT HUP
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
(
  trap '' TERM INT HUP
  while read -r _; do :; done <&3
  kill -TERM $program
  n=0
  while kill -0 $program && [ $n -lt 20 ]; do sleep 0.1; n=$((n + 1)); done
  kill -KILL $program
) 2>/dev/null &
watcher=$!
exec 3<&-
wait $program
while kill -0 $program 2>/dev/null; do wait $program; done
rm -rf -- "$folder"
kill -KILL $watcher
wait $watcher 2>/dev/null
kill -KILL 0
`;

/** Starts the program; needs a POSIX shell. */
export function supervise({ command, args, env, folder, onLine }: Program): Supervised {
  const child = spawn('/bin/sh', ['-c', SCRIPT, 'voice-chat', folder, command, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // A group of its own: no Ctrl+C of the terminal reaches it, and all of it can be ended at once.
    detached: true,
    env: { ...process.env, ...env },
  });
  // Ends with its reader; what is written there is nothing.
  child.stdin.on('error', () => {});
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', onLine);
  const ended = endOf(child);
  return { pid: child.pid, ended, stop: () => stop(child, ended) };
}

async function endOf(child: ChildProcess): Promise<void> {
  await new Promise<void>((resolve) => {
    // Not at the exit alone: what it said last is to be read.
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  await killGroup(child.pid);
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  signalGroup(child.pid, 'SIGTERM');
  const patience = new AbortController();
  const force = sleep(GRACE_MS, undefined, { signal: patience.signal, ref: false }).then(
    () => killGroup(child.pid),
    () => {},
  );
  await ended;
  patience.abort();
  await force;
}

/** Until none of the group is left; what is only waiting for its parent to take note of its end is not waited for long. */
async function killGroup(pid: number | undefined): Promise<void> {
  for (let tries = 0; tries < 25 && signalGroup(pid, 'SIGKILL'); tries++) await sleep(20);
}

/** Whether there was anybody to get it. */
function signalGroup(pid: number | undefined, signal: NodeJS.Signals): boolean {
  if (pid === undefined) return false;
  try {
    return process.kill(-pid, signal);
  } catch {
    return false;
  }
}
