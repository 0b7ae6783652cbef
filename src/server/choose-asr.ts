import { type Choice, here, NAMED, scripted } from './choice.ts';
import { type Config, usualSettings } from './config.ts';
import type { SpeechRecognizer } from './engines/contracts.ts';
import type { Logger } from './log.ts';
import type { Supplied, Supply } from './model-supply.ts';

type AsrChoice = Choice<SpeechRecognizer>;

/** A whole utterance is decoded at once, by a large model perhaps. */
const STALL_MS = 60_000;
const START_MS = 300_000;

/** Picks the recogniser; where none can be had, one that hears nothing, and `voiceInputOff` says how to get one. */
export async function chooseAsr(config: Config, supply: Supply, log: Logger, signal: AbortSignal): Promise<AsrChoice> {
  const { asr, language } = config;
  switch (asr.engine) {
    case 'off':
      return off('Voice input is off in the configuration (asr.engine: off); type instead.');
    case 'scripted':
      return {
        ...scripted(asr, 'createAsr'),
        ...here(asr, async () => (await import('./engines/scripted.ts')).createAsr(asr)),
      };
    case 'openai':
      return {
        what: `openai (${asr.model || 'first model'} at ${new URL(asr.baseUrl).host})`,
        why: NAMED,
        module: 'openai-asr',
        settings: { ...asr, language },
        isServer: true,
        inProcess: async () => (await import('./engines/openai-asr.ts')).create({ ...asr, language }),
      };
    case 'sherpa':
      return sherpa(supply.asr!, config, asr);
    case 'whisper':
      return whisper(supply.asr!, config, asr);
    case 'pocketsphinx':
      return pocketSphinx(config, supply, asr.expects, NAMED, log, signal);
    case 'auto': {
      const embedded = async (why: string): Promise<AsrChoice> => ({
        fallback: async (because) => off(`Voice input is off, typing works. ${because}`),
        ...(await pocketSphinx(config, supply, 'auto', why, log, signal)),
      });
      const supplied = supply.asr;
      if (!supplied) return embedded(supply.without.asr ?? 'the embedded recogniser');
      const choice =
        supplied.engine === 'whisper'
          ? whisper(supplied, config, usualSettings('asr', 'whisper'))
          : sherpa(supplied, config, usualSettings('asr', 'sherpa'));
      return { ...choice, fallback: () => embedded(`the model ${supplied.id} could not be loaded`) };
    }
  }
}

type Own = { readonly threads: number; readonly hotWords: readonly string[] };

function sherpa(supplied: Supplied, { language }: Config, own: Own): AsrChoice {
  const { id, title, family, files, why, plan } = supplied;
  const threads = own.threads || plan?.threads || 2;
  return {
    what: `sherpa-onnx (${title})`,
    why,
    module: 'sherpa-asr',
    settings: { family, files, language, hotWords: own.hotWords, threads, name: id },
    startMs: START_MS,
    stallMs: STALL_MS,
  };
}

function whisper(supplied: Supplied, { language }: Config, own: Own & { readonly device: string }): AsrChoice {
  const { id, title, files, why, plan } = supplied;
  const threads = own.threads || plan?.threads || 4;
  const device = own.device === 'auto' ? (plan?.device ?? 'auto') : own.device;
  return {
    what: `whisper.cpp (${title})`,
    why,
    module: 'whisper-asr',
    settings: { file: files.model, language, hotWords: own.hotWords, device, threads, name: id },
    startMs: START_MS,
    stallMs: STALL_MS,
  };
}

async function pocketSphinx(
  { cache, language, llm }: Config,
  supply: Supply,
  expected: 'auto' | 'builtin' | 'anything',
  why: string,
  log: Logger,
  signal: AbortSignal,
): Promise<AsrChoice> {
  const builtin = llm.engine === 'builtin' || (llm.engine === 'auto' && !supply.llm);
  const expects = expected === 'auto' ? (builtin ? 'builtin' : 'anything') : expected;
  if (language !== 'en') {
    const fix = 'connect to the network once for a model, name one in asr.model, or set language: en';
    return off(`Voice input is off, typing works. PocketSphinx knows English only: ${fix}.`);
  }
  try {
    const { providePocketSphinx } = await import('./engines/pocketsphinx/files.ts');
    await providePocketSphinx({ cacheDir: cache.folder, say: (line) => log.info(line) }, signal);
  } catch (error) {
    signal.throwIfAborted();
    return off(`Voice input is off, typing works. ${(error as Error).message}`);
  }
  return {
    what: `pocketsphinx (en-us, expects ${expects === 'builtin' ? "the built-in brain's sentences" : 'anything'})`,
    why,
    module: 'pocketsphinx-asr',
    settings: { cacheDir: cache.folder, expects },
  };
}

function off(voiceInputOff: string): AsrChoice {
  const deaf: SpeechRecognizer = {
    async *recognize() {
      yield { text: '', final: true, understood: true };
    },
    async [Symbol.asyncDispose]() {},
  };
  return { what: 'none', why: voiceInputOff, module: '', settings: {}, inProcess: async () => deaf, voiceInputOff };
}
