import type { Muxer, Picture } from '../contracts.ts';

/** All that the video tier does with encoded video: clips while they are spoken, and base clips. */
export interface Codec extends Muxer {
  /**
   * Writes frames as an MP4 without sound: good quality, index in front, made to be looped; whole or not at all. `onFrame`
   * hears how many frames are in. Rejects with a `VideoError`, or with the signal's reason.
   */
  encodeVideo(
    frames: AsyncIterable<Picture>,
    size: { readonly width: number; readonly height: number },
    file: string,
    onFrame: (frames: number) => void,
    signal: AbortSignal,
  ): Promise<void>;
  /**
   * The frames of a video file at `VIDEO_FPS`, its middle cut to a square of `size` pixels. Throws a `VideoError` for a file
   * that is no video; ends early when `signal` aborts.
   */
  decodeVideo(file: string, size: number, signal: AbortSignal): AsyncIterable<Picture>;
}
