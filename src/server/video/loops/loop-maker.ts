import type { BaseClipMaker } from '../contracts.ts';

/** A maker of base clips and how long it makes them. */
export type LoopMaker = {
  readonly maker: BaseClipMaker;
  readonly seconds: number;
  /** Whether words change what it makes; otherwise it is given none. */
  readonly readsWords: boolean;
  /** Gives the card back at once, where cancelling a job does not. */
  readonly release?: () => Promise<void>;
};
