import type { Engine } from './engines/contracts.ts';

/** Which engine a stage gets, and why; only the module that is named is ever imported. */
export type Choice<T extends Engine> = {
  /** Its name and model, such as `pocketsphinx (en-us)`. */
  readonly what: string;
  readonly why: string;
  /** The module below `engines/` and the function in it that creates the engine from `settings` (plain data). */
  readonly module: string;
  readonly factory?: string;
  readonly settings: unknown;
  /** Creates it in this process; only for engines that neither are native nor block. */
  readonly inProcess?: () => Promise<T>;
  /** Of a recogniser that hears nothing: why, and how to get one. */
  readonly voiceInputOff?: string;
  /** It is a server that somebody else runs. */
  readonly isServer?: boolean;
  /** It keeps what it has read of a prompt, so that reading the instructions beforehand makes the first reply faster. */
  readonly keepsPrompt?: boolean;
  /** How long loading, and a call without a result, may take, where that is more than usual. */
  readonly startMs?: number;
  readonly stallMs?: number;
  /** What to take instead where it was picked for the user and cannot be loaded, `because` of something said in a sentence. */
  readonly fallback?: (because: string) => Promise<Choice<T>>;
};

/** Why, where the user said so. */
export const NAMED = 'named in the configuration';

/** The common part of a scripted engine. */
export const scripted = (settings: object, factory: string) => ({
  what: 'scripted',
  why: NAMED,
  module: 'scripted',
  factory,
  settings,
});

/** A scripted engine runs here unless it is told otherwise, so that it adds nothing to what is measured. */
export const here = <T>(settings: { ownProcess: boolean }, inProcess: () => Promise<T>) =>
  settings.ownProcess ? {} : { inProcess };
