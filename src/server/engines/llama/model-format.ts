import type { LlamaModel } from 'node-llama-cpp';
import { EngineError } from '../contracts.ts';
import { CHATML, type ChatFormat, DIALOGUE, type RenderTemplate, readFormat } from './chat-format.ts';

/** The chat format of a model, read off the template in its file; throws an `EngineError` for one it cannot speak. */
export async function formatOf(model: LlamaModel, thinking: boolean): Promise<ChatFormat> {
  const { bosString, bos, shouldPrependBosToken } = model.tokens;
  const template = model.fileInfo.metadata.tokenizer.chat_template;
  if (template?.includes('<|channel|>')) {
    throw new EngineError(
      'llm',
      `The model ${model.filename} speaks in channels (Harmony), which this engine does not. Choose another llm.model, or serve it with llama-server and llm.engine: openai.`,
    );
  }
  const format = (template && readFormat(await renderer(template, model), thinking)) || fallback(model);
  if (!shouldPrependBosToken || bos === null || bosString === null) return format;
  const start = (text: string) => (text.startsWith(bosString) ? text : bosString + text);
  const { system } = format;
  return {
    ...format,
    begin: start(format.begin),
    system: system && { ...system, before: start(system.before) },
  };
}

function fallback(model: LlamaModel): ChatFormat {
  const isToken = (text: string) => model.tokenize(text, true, 'trimLeadingSpace').length === 1;
  return isToken('<|im_start|>') && isToken('<|im_end|>') ? CHATML : DIALOGUE;
}

async function renderer(template: string, model: LlamaModel): Promise<RenderTemplate> {
  const { Template } = await import('@huggingface/jinja');
  const { bosString, eosString } = model.tokens;
  return (messages, variables) =>
    new Template(template).render({
      ...variables,
      messages: messages.map((message) => ({ ...message })),
      bos_token: bosString ?? '',
      eos_token: eosString ?? '',
    });
}
