import type { Config } from './config.ts';
import {
  type ChatMessage,
  type ChatModel,
  type Engine,
  EngineError,
  type Situation,
  type SpeechRecognizer,
  type SpeechSynthesizer,
  type Stage,
  type VoiceDetector,
} from './engines/contracts.ts';
import { instructions } from './instructions.ts';
import { describeTools } from './tools/tool-box.ts';
import { type Caller, remoteAsr, remoteLlm, remoteTts, remoteVad } from './workers/remote-engines.ts';

/** How a stage is reached in another process, and a call that costs little and touches all of it. */
export type Kit<T extends Engine> = {
  remote: (caller: Caller) => T;
  tryOut: (engine: T, signal: AbortSignal) => AsyncIterable<unknown>;
};

/** The kits of the four stages; the chat model is asked about `situation`. */
export const engineKits = (config: Config, situation: () => Situation) =>
  ({
    vad: { remote: remoteVad, tryOut: (engine, signal) => engine.detect(only(new Float32Array(512)), signal) },
    asr: { remote: remoteAsr, tryOut: (engine, signal) => engine.recognize(only(new Float32Array(3_200)), signal) },
    llm: {
      remote: remoteLlm,
      tryOut: (engine, signal) => {
        // As in a conversation, with its instructions and tools, which are then read before anybody waits for them.
        const content = instructions(config);
        const messages: ChatMessage[] = [{ role: 'user', content: 'Hello' }];
        if (content !== '') messages.unshift({ role: 'system', content });
        const tools = describeTools(config.llm.tools);
        return engine.reply({ messages, situation: situation(), tools }, signal);
      },
    },
    tts: { remote: remoteTts, tryOut: (engine, signal) => engine.speak('Hello.', voice(config.tts), signal) },
  }) satisfies {
    vad: Kit<VoiceDetector>;
    asr: Kit<SpeechRecognizer>;
    llm: Kit<ChatModel>;
    tts: Kit<SpeechSynthesizer>;
  };

/** The voice that was chosen with a named engine must be one of its; with `auto` the engine's own first one will do. */
const voice = ({ engine, voice, speed }: Config['tts']) => ({ name: engine === 'auto' ? '' : voice, speed });

/** Waits for an engine's first result; rejects when there is none. */
export async function tryOut<T extends Engine>(
  stage: Stage,
  kit: Kit<T>,
  engine: T,
  signal: AbortSignal,
): Promise<void> {
  for await (const _ of kit.tryOut(engine, signal)) return;
  throw new EngineError(stage, `The ${stage} engine gave no result when it was tried out.`);
}

async function* only<T>(item: T): AsyncGenerator<T, void, undefined> {
  yield item;
}
