import { VideoError } from '../contracts.ts';
import type { Codec } from './codec.ts';

/** Opens the optional in-process encoder; rejects with a `VideoError` that says how to get it. */
export async function createWebcodecsMuxer(_signal: AbortSignal): Promise<Codec> {
  throw new VideoError(
    'The in-process encoder is not installed; get it with: npm install @napi-rs/webcodecs mediabunny',
  );
}
