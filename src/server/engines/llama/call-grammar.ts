import type { Llama, LlamaGrammarEvaluationState, LlamaModel } from 'node-llama-cpp';
import { EngineError, type ToolDescription } from '../contracts.ts';
import { toolGrammar } from './tool-grammar.ts';

/**
 * A function that gives the state of a reply's grammar, made when it is first asked for: when the model begins a call.
 * Throws an `EngineError` for tools that no grammar can be made of.
 */
export async function callGrammar(
  llama: Llama,
  model: LlamaModel,
  tools: readonly ToolDescription[],
): Promise<() => LlamaGrammarEvaluationState> {
  const { LlamaGrammarEvaluationState } = await import('node-llama-cpp');
  const grammar = await llama.createGrammar({ grammar: toolGrammar(tools) }).catch((cause: unknown) => {
    if (cause instanceof EngineError) throw cause;
    const message = 'The tools make a grammar that llama.cpp does not take; simplify their parameters.';
    throw new EngineError('llm', message, { cause });
  });
  let state: LlamaGrammarEvaluationState | undefined;
  return () => {
    state ??= new LlamaGrammarEvaluationState({ model, grammar });
    return state;
  };
}
