import type { ToolCall, ToolDescription } from '../engines/contracts.ts';

/** The tools of one session. */
export interface ToolBox {
  readonly descriptions: readonly ToolDescription[];
  /** What the chat model is told of a call, a sentence whatever goes wrong; it never rejects and never takes for ever. */
  run(call: ToolCall, signal: AbortSignal): Promise<string>;
  /** Whether one of them will have something to say later, such as a timer that runs. */
  readonly pending: boolean;
}

/** Opens a session's tools: what they do lasts until `signal` aborts, and `say` speaks a sentence when nobody else does. */
export type OpenToolBox = (say: (sentence: string) => void, signal: AbortSignal) => ToolBox;

/** The tools that the chat model called at one place of its reply, with their results so far. */
export type ToolRound = {
  /** How many letters of the reply were written before. */
  at: number;
  readonly calls: ToolCall[];
  /** One for each call, in order. */
  readonly results: string[];
};
