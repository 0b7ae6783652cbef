import type { z } from 'zod';
import type { Clock } from './clock.ts';
import type { Timers } from './timers.ts';

/** What a tool may use of its session. */
export type ToolContext = {
  readonly clock: Clock;
  readonly timers: Timers;
};

/** Something that the chat model may call. */
export type Tool<Args extends z.ZodObject = z.ZodObject> = {
  readonly name: string;
  /** For the model: what it is for, and when to call it. */
  readonly description: string;
  readonly args: Args;
  /** A sentence for the model; an error that is thrown becomes one too. */
  run(args: z.output<Args>, context: ToolContext, signal: AbortSignal): Promise<string>;
};
