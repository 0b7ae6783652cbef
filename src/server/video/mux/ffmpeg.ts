import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type DebianSettings, PackagesUnavailable, provideDebianPackages } from '../../models/debian-packages.ts';
import { VideoError } from '../contracts.ts';
import { type FfmpegProgram, runFfmpeg } from './ffmpeg-process.ts';

/** An ffmpeg that runs here. */
export type Ffmpeg = FfmpegProgram & {
  /** As it says itself: `5.1.9-0+deb12u1`, say. */
  readonly version: string;
};

const LIBRARY_FOLDERS = ['usr/lib', 'lib'];

/**
 * Finds ffmpeg on the search path, and else as a Debian package, fetched into the cache where it is not there yet.
 * Throws a `VideoError` that says how to get it.
 */
export async function findFfmpeg(debian: DebianSettings, signal: AbortSignal, program = 'ffmpeg'): Promise<Ffmpeg> {
  const installed = await tried({ command: program, libraries: [] }, signal);
  if (installed) return installed;
  const hint =
    'or let clips be made without it: npm install @napi-rs/webcodecs mediabunny, and video.encoder: webcodecs';
  let unpacked: FfmpegProgram;
  try {
    unpacked = await provideDebianPackages(
      { packages: ['ffmpeg'], locate: (roots) => locate(roots, program) },
      debian,
      signal,
    );
  } catch (cause) {
    signal.throwIfAborted();
    if (!(cause instanceof PackagesUnavailable)) throw cause;
    throw new VideoError(`Clips are made by ffmpeg, which is not here. ${cause.message}; ${hint}.`, { cause });
  }
  const found = await tried(unpacked, signal);
  if (found) return found;
  throw new VideoError(`${unpacked.command} does not run here; install ffmpeg, ${hint}.`);
}

/** Looks for an unpacked ffmpeg; exported for tests that run one from a folder of their own. */
export async function locate(roots: readonly string[], program = 'ffmpeg'): Promise<FfmpegProgram | undefined> {
  for (const root of roots) {
    const command = join(root, 'usr/bin', program);
    if (!(await stat(command).catch(() => undefined))?.isFile()) continue;
    return { command, libraries: root === '/' ? [] : await libraryFolders(root) };
  }
  return undefined;
}

async function tried(program: FfmpegProgram, signal: AbortSignal): Promise<Ffmpeg | undefined> {
  const said = await runFfmpeg(program, ['-version'], signal).catch(() => undefined);
  signal.throwIfAborted();
  const version = said && /^ffmpeg version (\S+)/m.exec(said.toString('utf8'))?.[1];
  return version ? { ...program, version } : undefined;
}

/** Every folder that holds libraries: Debian keeps some (BLAS, PulseAudio) one deeper, where only the package's hooks would find them. */
async function libraryFolders(root: string): Promise<string[]> {
  const folders: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    if (entries.some((entry) => /\.so(\.\d+)*$/.test(entry.name))) folders.push(folder);
    if (depth === 0) return;
    for (const entry of entries) if (entry.isDirectory()) await visit(join(folder, entry.name), depth - 1);
  };
  for (const folder of LIBRARY_FOLDERS) await visit(join(root, folder), 2);
  return folders;
}
