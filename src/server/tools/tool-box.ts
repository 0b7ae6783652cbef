import { z } from 'zod';
import type { OpenToolBox, ToolBox } from '../conversation/tool-box.ts';
import type { ToolCall, ToolDescription } from '../engines/contracts.ts';
import { calculator } from './calculator.ts';
import { type Clock, systemClock } from './clock.ts';
import { time } from './time.ts';
import { timer } from './timer.ts';
import { Timers } from './timers.ts';
import type { Tool, ToolContext } from './tool.ts';

/** The tools that come with the server, by the names that `llm.tools` takes. */
export const TOOL_NAMES = ['time', 'calculator', 'timer'] as const;
export type ToolName = (typeof TOOL_NAMES)[number];

const BUILT_IN: Readonly<Record<ToolName, Tool>> = { time, calculator, timer };

/** What a conversation waits for, at most. */
const DEADLINE_MS = 10_000;
/** A longer result would fill the model's context. */
const MAX_LETTERS = 4_000;

/** Opens these of the built-in tools for each session; none for an empty list. */
export function createToolBox(names: readonly ToolName[], clock: Clock = systemClock): OpenToolBox {
  return toolBoxOf(named(names), clock);
}

/** These of the built-in tools, as the chat model is told of them. */
export const describeTools = (names: readonly ToolName[]): ToolDescription[] => describe(named(names));

const named = (names: readonly ToolName[]): Tool[] => [...new Set(names)].map((name) => BUILT_IN[name]);

const describe = (tools: readonly Tool[]): ToolDescription[] =>
  tools.map(({ name, description, args }) => ({ name, description, parameters: schemaOf(args) }));

/** Opens any tools for each session. */
export function toolBoxOf(tools: readonly Tool[], clock: Clock): OpenToolBox {
  const descriptions = describe(tools);
  return (say, signal): ToolBox => {
    const context: ToolContext = { clock, timers: new Timers(clock, say, signal) };
    return {
      descriptions,
      run: (call, callSignal) => run(tools, call, context, callSignal),
      get pending() {
        return context.timers.running.length > 0;
      },
    };
  };
}

function schemaOf(args: z.ZodObject): Record<string, unknown> {
  const { $schema: _, ...schema } = z.toJSONSchema(args, { io: 'input' });
  return schema;
}

async function run(tools: readonly Tool[], call: ToolCall, context: ToolContext, signal: AbortSignal): Promise<string> {
  const tool = tools.find(({ name }) => name === call.name);
  if (!tool) return `There is no tool "${call.name}"; there is ${tools.map(({ name }) => name).join(', ')}.`;
  const args = tool.args.safeParse(plainArgs(call.args, tool));
  if (!args.success) {
    const mistakes = args.error.issues.map(({ path, message }) => [path.join('.'), message].filter(Boolean).join(': '));
    return `The arguments of ${tool.name} are wrong: ${mistakes.join('; ')}. Call it again with correct ones.`;
  }
  const over = new AbortController();
  const both = AbortSignal.any([signal, over.signal]);
  // A tool that is deaf to its signal is left behind.
  const late = context.clock
    .wait(DEADLINE_MS, both)
    .then(() => `The tool ${tool.name} took longer than ${DEADLINE_MS / 1000} seconds and was stopped.`);
  try {
    const result = await Promise.race([tool.run(args.data, context, both), late]);
    return result.length > MAX_LETTERS ? `${result.slice(0, MAX_LETTERS)}… (the rest is left out)` : result;
  } catch (error) {
    return `The tool ${tool.name} failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    over.abort();
  }
}

/** Small models write null for what they leave out, and numbers as text. */
function plainArgs(args: unknown, { args: schema }: Tool): unknown {
  if (args === undefined || args === null || args === '') return {};
  if (typeof args !== 'object' || Array.isArray(args)) return args;
  const wanted = schemaOf(schema).properties as Record<string, { type?: unknown }> | undefined;
  const plain = Object.entries(args).map(([name, value]) => {
    const isNumber = wanted?.[name]?.type === 'number' && typeof value === 'string' && value.trim() !== '';
    return [name, isNumber && Number.isFinite(Number(value)) ? Number(value) : value];
  });
  return Object.fromEntries(plain.filter(([, value]) => value !== null));
}
