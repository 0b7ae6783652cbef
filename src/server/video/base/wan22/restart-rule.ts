/** What is known of a job that nobody wants any more, and of the server that cannot be told to leave it. */
export type Abandoned = {
  /** Steps that are not done, the one at work included. */
  readonly stepsLeft: number;
  readonly msPerStep: number | undefined;
  /** From the last step to the finished file. */
  readonly tailMs: number;
  /** How long the server took to start. */
  readonly startMs: number;
};

/** A new start brings its own risks, so it must save a good part of the wait. */
const WORTH = 1.3;

/**
 * Whether a job that waits now comes sooner by ending the server and starting it anew than by waiting until the abandoned one
 * is through; no while nothing has been measured.
 */
export function restartPays({ stepsLeft, msPerStep, tailMs, startMs }: Abandoned): boolean {
  return msPerStep !== undefined && stepsLeft * msPerStep + tailMs > startMs * WORTH;
}
