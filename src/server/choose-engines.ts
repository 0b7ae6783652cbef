import { type Choice, here, NAMED, scripted } from './choice.ts';
import { chooseAsr } from './choose-asr.ts';
import { chooseLlm } from './choose-llm.ts';
import { chooseTts } from './choose-tts.ts';
import type { Config } from './config.ts';
import type { ChatModel, SpeechRecognizer, SpeechSynthesizer, VoiceDetector } from './engines/contracts.ts';
import type { Logger } from './log.ts';
import { supplyModels } from './model-supply.ts';
import type { PlanWorld } from './plan-here.ts';

/** What each stage gets. */
export type Choices = {
  readonly vad: Choice<VoiceDetector>;
  readonly asr: Choice<SpeechRecognizer>;
  readonly llm: Choice<ChatModel>;
  readonly tts: Choice<SpeechSynthesizer>;
};

/** Picks an engine for every stage, and finds or fetches the models they need. */
export async function chooseEngines(
  config: Config,
  log: Logger,
  signal: AbortSignal,
  world?: PlanWorld,
): Promise<Choices> {
  const supply = await supplyModels(config, log, signal, world);
  return {
    vad: chooseVad(config),
    asr: await chooseAsr(config, supply, log, signal),
    llm: chooseLlm(config, supply, log),
    tts: chooseTts(config, supply),
  };
}

function chooseVad({ vad }: Config): Choice<VoiceDetector> {
  switch (vad.engine) {
    case 'scripted':
      return {
        ...scripted(vad, 'createVad'),
        ...here(vad, async () => (await import('./engines/scripted.ts')).createVad(vad)),
      };
    case 'auto':
    case 'silero': {
      const why = vad.engine === 'auto' ? 'comes with the install' : NAMED;
      return { what: 'silero (v6)', why, module: 'silero-vad', settings: {} };
    }
  }
}
