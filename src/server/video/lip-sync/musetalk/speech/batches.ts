import { BATCHES, type Batch } from '../networks.ts';

/** How a reply stands when it is asked what to paint next. */
export type Standing = {
  /** Frames that could be painted now, and are in no batch yet. */
  readonly ready: number;
  /** No batch has been made of this reply. */
  readonly isFirst: boolean;
  /** Nothing of this reply is being painted. */
  readonly isIdle: boolean;
  /** No speech has come for a while; more may. */
  readonly isPaused: boolean;
  /** No more speech will come. */
  readonly isOver: boolean;
};

const [, SMALL, LARGE] = BATCHES;

/**
 * The next batch, or undefined where it is better to wait: the first is small, so that it is soon done; then only large ones are
 * made while there is one to paint, and small ones rather than none. At the end, or in a pause with nothing to do, what there is
 * makes the smallest batch that holds it, whose rest repeats the last frame.
 */
export function nextBatch({
  ready,
  isFirst,
  isIdle,
  isPaused,
  isOver,
}: Standing): { readonly frames: number; readonly size: Batch } | undefined {
  const most = isFirst ? SMALL : LARGE;
  if (ready >= most) return { frames: most, size: most };
  if (isIdle && !isOver && ready >= SMALL) return { frames: SMALL, size: SMALL };
  if (ready === 0 || !(isOver || (isIdle && isPaused))) return undefined;
  return { frames: ready, size: BATCHES.find((size) => size >= ready)! };
}
