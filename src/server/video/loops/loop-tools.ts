import type { VideoWorker } from '../contracts.ts';
import type { Quiet } from '../quiet.ts';
import type { LentFolders } from './lent-folders.ts';
import type { LoopMaker } from './loop-maker.ts';
import type { LoopPrompts } from './prompts.ts';
import type { Turnstile } from './turnstile.ts';

/** What the base clips of any avatar are made with. */
export type LoopTools = {
  readonly worker: Pick<VideoWorker, 'prepare' | 'makeReady'>;
  /** From the quickest to the best: each one's clips are shown until the next one's are there. */
  readonly makers: readonly LoopMaker[];
  readonly prompts: LoopPrompts;
  readonly quiet: Quiet;
  /** How long nobody must have talked before a heavy maker begins. */
  readonly quietSeconds: number;
  /** Makers serve one at a time. */
  readonly turnstile: Turnstile;
  readonly lent: LentFolders;
};
