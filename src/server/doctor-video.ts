import { access, constants, statfs } from 'node:fs/promises';
import type { Config } from './config.ts';
import { lipSyncCheck } from './doctor-lip-sync.ts';
import type { Finding } from './machine/check.ts';
import type { Gpu } from './machine/machine.ts';

/** Avatars with their base clips, decoded ones too, and the clips that are kept. */
const DISK_GIB = 3;

/** The checks of the video tier; one line that says that it is off, where it is. */
export function videoChecks(
  config: Config,
  gpus: readonly Gpu[],
  signal: AbortSignal,
): [string, () => Finding | Promise<Finding>][] {
  if (!config.video.enabled) {
    return [['video', () => ({ result: 'pass', found: 'off; video.enabled: true gives the assistant a face' })]];
  }
  return [
    ['video encoder', () => encoder(config, signal)],
    ['face finder', faceFinder],
    ['base clips', () => baseClips(config)],
    ['lip-sync', () => lipSyncCheck(config, gpus, signal)],
    ['video disk', () => disk(config)],
  ];
}

async function encoder({ video, cache }: Config, signal: AbortSignal): Promise<Finding> {
  const { openMuxer } = await import('./video/mux/open-muxer.ts');
  try {
    await using muxer = await openMuxer(video.encoder, { cacheDir: cache.folder, offline: true }, signal);
    return { result: 'pass', found: muxer.name };
  } catch (error) {
    const fix = 'npm start fetches ffmpeg where the Debian mirror can be reached. Speech works without.';
    return { result: 'warn', found: (error as Error).message, fix };
  }
}

async function faceFinder(): Promise<Finding> {
  try {
    const { findFaces } = await import('./video/faces/find-faces.ts');
    await findFaces({ width: 64, height: 64, rgb: new Uint8Array(3 * 64 * 64).fill(128) });
    return { result: 'pass', found: 'looks at pictures' };
  } catch (error) {
    return { result: 'warn', found: (error as Error).message, fix: 'Run npm ci again. The presets work without.' };
  }
}

async function baseClips({ video: { baseClips } }: Config): Promise<Finding> {
  switch (baseClips.engine) {
    case 'auto':
    case 'still':
      return { result: 'pass', found: 'still: the picture with gentle life' };
    case 'video':
      try {
        await access(baseClips.file, constants.R_OK);
        return { result: 'pass', found: `video: ${baseClips.file}` };
      } catch (error) {
        const found = `video: ${(error as Error).message}`;
        return { result: 'warn', found, fix: 'Correct video.baseClips.file; until then the still picture speaks.' };
      }
    case 'wan22':
      return { result: 'pass', found: `wan22: LightX2V by ${baseClips.python}; it is checked when the server starts` };
    case 'openai-videos':
      return { result: 'pass', found: `openai-videos: ${baseClips.baseUrl}; it is asked when the server starts` };
  }
}

async function disk({ cache: { folder } }: Config): Promise<Finding> {
  const found = await statfs(folder).catch((error: Error) => error);
  // Where it cannot even be made, the check of the cache folder says what to do.
  if (found instanceof Error) return { result: 'warn', found: `${folder}: ${found.message}` };
  const { bavail, bsize } = found;
  const gib = (bavail * bsize) / 2 ** 30;
  if (gib >= DISK_GIB) return { result: 'pass', found: `${gib.toFixed(1)} GiB free` };
  const fix = 'Remove avatars that are not used (voice-chat avatar remove), or set cache.folder to a larger disk.';
  return { result: 'warn', found: `${gib.toFixed(1)} GiB free, ${DISK_GIB} GiB are better`, fix };
}
