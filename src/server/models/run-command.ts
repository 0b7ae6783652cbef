import { spawn } from 'node:child_process';

/** What a finished command said; `code` is its exit status, or null when it was killed. */
export type CommandResult = { readonly code: number | null; readonly output: string };

/** Runs a program to its end; rejects only when it cannot be started or `signal` aborts. */
export type CommandRunner = (command: string, args: readonly string[], signal: AbortSignal) => Promise<CommandResult>;

/** Runs a program with English messages and nothing on its standard input; `output` is stdout and stderr together. */
export const runCommand: CommandRunner = (command, args, signal) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' },
    });
    const pieces: Buffer[] = [];
    child.stdout.on('data', (piece: Buffer) => pieces.push(piece));
    child.stderr.on('data', (piece: Buffer) => pieces.push(piece));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output: Buffer.concat(pieces).toString('utf8') }));
  });
