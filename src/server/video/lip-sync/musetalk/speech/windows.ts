import { VIDEO_FPS } from '../../../contracts.ts';
import { FRAME_TOKENS, SPEECH_RATE, STATES, TOKENS_PER_SECOND } from '../networks.ts';

/** Samples that one token of whisper stands for. */
export const TOKEN_SAMPLES = SPEECH_RATE / TOKENS_PER_SECOND;
/** Tokens from one frame of video to the next. */
const STEP = TOKENS_PER_SECOND / VIDEO_FPS;
/** Tokens that a frame hears of before its beginning: 80 ms. */
const BEFORE = 4;

/** The first token that `frame` hears, and the one after its last; below 0 and beyond the end of speech they are zeros. */
export function tokensOf(frame: number): { readonly from: number; readonly to: number } {
  const from = STEP * frame - BEFORE;
  return { from, to: from + FRAME_TOKENS };
}

/** How many frames hear nothing beyond the first `samples` of speech: those that begin 120 ms or more before its end. */
export function readyFrames(samples: number): number {
  const tokens = Math.floor(samples / TOKEN_SAMPLES);
  return Math.max(0, Math.floor((tokens - tokensOf(0).to) / STEP) + 1);
}

/**
 * What `count` frames from `first` on hear, [count, 50, width]: the states [n, 5, width] of the tokens from `from` on, and zeros for
 * tokens that are not among them.
 */
export function frameStates(
  states: Float32Array,
  from: number,
  first: number,
  count: number,
  width: number,
): Float32Array {
  const token = STATES * width;
  const out = new Float32Array(count * FRAME_TOKENS * token);
  for (let i = 0; i < count; i++) {
    const begin = tokensOf(first + i).from - from;
    const known = states.subarray(Math.max(0, begin) * token, Math.max(0, begin + FRAME_TOKENS) * token);
    out.set(known, (i * FRAME_TOKENS + Math.max(0, -begin)) * token);
  }
  return out;
}
