import type { DebianSettings } from '../../models/debian-packages.ts';
import { VideoError } from '../contracts.ts';
import type { Codec } from './codec.ts';

/** Which encoder is wanted, as `video.encoder` says it. */
export type EncoderKind = 'auto' | 'ffmpeg' | 'webcodecs';

/**
 * Opens the encoder; `auto` takes ffmpeg, and the optional in-process one where there is none. Rejects with a `VideoError`
 * that names the fix.
 */
export async function openMuxer(kind: EncoderKind, debian: DebianSettings, signal: AbortSignal): Promise<Codec> {
  const { createFfmpegMuxer } = await import('./ffmpeg-muxer.ts');
  switch (kind) {
    case 'ffmpeg':
      return createFfmpegMuxer(debian, signal);
    case 'webcodecs':
      return webcodecs(signal);
    case 'auto':
      try {
        return await createFfmpegMuxer(debian, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof VideoError)) throw error;
        return await webcodecs(signal).catch(() => {
          throw error;
        });
      }
  }
}

async function webcodecs(signal: AbortSignal): Promise<Codec> {
  const { createWebcodecsMuxer } = await import('./webcodecs-muxer.ts');
  return createWebcodecsMuxer(signal);
}
