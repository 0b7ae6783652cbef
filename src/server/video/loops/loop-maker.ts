import type { BaseClipMaker } from '../contracts.ts';

/** A maker of base clips and how long it makes them. */
export type LoopMaker = {
  readonly maker: BaseClipMaker;
  readonly seconds: number;
  /** Gives the card back at once, where cancelling a job does not. */
  readonly release?: () => Promise<void>;
};
