import type { Wan22Store } from './model-files.ts';
import type { Wan22Machine } from './settings.ts';

/** What the maker needs of the world around it. */
export type Wan22World = {
  /** The machine as it was found at the start, by which preset and weights are chosen. */
  readonly machine: Wan22Machine;
  /** The machine as it is now, asked before each start of LightX2V; `machine` if not given. */
  readonly look?: (signal: AbortSignal) => Promise<Wan22Machine>;
  readonly store: Wan22Store;
  /** How often the server is asked, in milliseconds; 500 if not given. */
  readonly pollMs?: number;
  /** After so long without a job the card is given back, in milliseconds; five minutes if not given. */
  readonly idleMs?: number;
  /** After so long without a step, a line or another status the server counts as hung, in milliseconds; ten minutes if not given. */
  readonly hungMs?: number;
  /** A pause by the clock, if not given. */
  readonly pause?: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** Where the maker tells how it goes; never what is to be shown. */
export type Wan22Log = Readonly<Record<'debug' | 'info' | 'warn', (line: string) => void>>;
