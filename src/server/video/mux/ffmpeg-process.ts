import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { VideoError } from '../contracts.ts';

/** An ffmpeg that can be started: its program, and the folders of libraries that the system's loader does not know. */
export type FfmpegProgram = { readonly command: string; readonly libraries: readonly string[] };

/** What reads and writes files must not be left behind; what has pipes ends with them. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** The number of the first input's file descriptor in ffmpeg: `pipe:3`. */
export const FIRST_INPUT = 3;

/** One run of ffmpeg, with `inputs` pipes to write into. */
export class FfmpegProcess {
  /** Its exit status, or null when it was killed or could not be started. */
  readonly ended: Promise<number | null>;
  /** What it writes to `pipe:1`. */
  readonly output: Readable;
  readonly #child: ChildProcess;
  #said = '';

  constructor(program: FfmpegProgram, args: readonly string[], inputs = 0) {
    const pipes = Array.from({ length: inputs }, () => 'pipe' as const);
    this.#child = spawn(program.command, ['-hide_banner', '-loglevel', 'error', '-nostdin', ...args], {
      stdio: ['ignore', 'pipe', 'pipe', ...pipes],
      env: environmentOf(program),
    });
    running.add(this.#child);
    this.output = this.#child.stdout!;
    this.#child.stderr!.on('data', (bytes: Buffer) => {
      this.#said = (this.#said + bytes.toString('utf8')).slice(-2_000);
    });
    for (let i = 0; i < inputs; i++) {
      const pipe = this.#input(i) as Writable & Readable;
      // A pipe of Node is a socket: one whose other half is not read never closes.
      pipe.resume();
      pipe.on('error', () => {});
    }
    this.ended = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        this.#said ||= error.message;
        running.delete(this.#child);
        resolve(null);
      });
      this.#child.once('close', (code) => {
        running.delete(this.#child);
        resolve(code);
      });
    });
  }

  /** Its process id; undefined when it could not be started. */
  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return running.has(this.#child);
  }

  /** The last line of what it complained about. */
  get complaint(): string {
    return this.#said.trim().split('\n').at(-1)?.trim() ?? '';
  }

  /** Why it ended with `code`, when that is not 0. */
  why(code: number | null): string {
    if (this.complaint) return this.complaint;
    if (code === null) return 'it was killed; see whether the machine is short of memory.';
    return `it ended with status ${code}.`;
  }

  /** Writes to an input once ffmpeg has taken what came before; false when it takes no more. */
  write(input: number, bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => this.#input(input).write(bytes, (error) => resolve(!error)));
  }

  /** Nothing more comes on this input. */
  end(input: number): void {
    this.#input(input).end();
  }

  /** Ends it at once; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    for (const pipe of this.#child.stdio) pipe?.destroy();
    await this.ended;
  }

  #input(input: number): Writable {
    return this.#child.stdio[FIRST_INPUT + input] as Writable;
  }
}

/** Runs ffmpeg to its end and gives what it wrote to `pipe:1`; rejects with a `VideoError`, or with the signal's reason. */
export async function runFfmpeg(program: FfmpegProgram, args: readonly string[], signal: AbortSignal): Promise<Buffer> {
  signal.throwIfAborted();
  const ffmpeg = new FfmpegProcess(program, args);
  const onAbort = () => void ffmpeg.kill();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    const pieces: Buffer[] = [];
    ffmpeg.output.on('data', (piece: Buffer) => pieces.push(piece));
    const code = await ffmpeg.ended;
    signal.throwIfAborted();
    if (code !== 0) throw new VideoError(`ffmpeg failed: ${ffmpeg.why(code)}`);
    return Buffer.concat(pieces);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

function environmentOf({ libraries }: FfmpegProgram): NodeJS.ProcessEnv {
  const paths = libraries.length > 0 ? { LD_LIBRARY_PATH: libraries.join(':') } : {};
  return { ...process.env, LC_ALL: 'C', ...paths };
}
