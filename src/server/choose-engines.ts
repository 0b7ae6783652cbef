import type { Config } from './config.ts';
import {
  type ChatModel,
  EngineError,
  type SpeechRecognizer,
  type SpeechSynthesizer,
  type VoiceDetector,
} from './engines/contracts.ts';
import type { Logger } from './log.ts';

/** Which engine a stage gets, and why; only the module that is named is ever imported. */
export type Choice<T> = {
  /** Its name and model, such as `pocketsphinx (en-us)`. */
  readonly what: string;
  readonly why: string;
  /** The module below `engines/` and the function in it that creates the engine from `settings` (plain data). */
  readonly module: string;
  readonly factory?: string;
  readonly settings: unknown;
  /** Creates it in this process; only for engines that neither are native nor block. */
  readonly inProcess?: () => Promise<T>;
  /** It is a server that somebody else runs. */
  readonly isServer?: boolean;
  /** It keeps what it has read of a prompt, so that reading the instructions beforehand makes the first reply faster. */
  readonly keepsPrompt?: boolean;
  /** How long loading, and a call without a result, may take, where that is more than usual. */
  readonly startMs?: number;
  readonly stallMs?: number;
  /** What to take instead where it was picked for the user and cannot be loaded. */
  readonly fallback?: () => Promise<Choice<T>>;
};

const NAMED = 'named in the configuration';

/** Picks the voice detector. */
export function chooseVad({ vad }: Config): Choice<VoiceDetector> {
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

/** Picks the recogniser; where none can be had, one that hears nothing, and `voiceInputOff` says how to get one. */
export async function chooseAsr(
  config: Config,
  log: Logger,
): Promise<Choice<SpeechRecognizer> & { voiceInputOff?: string }> {
  const { asr, llm, cache } = config;
  switch (asr.engine) {
    case 'off':
      return off('Voice input is off in the configuration (asr.engine: off); type instead.');
    case 'scripted':
      return {
        ...scripted(asr, 'createAsr'),
        ...here(asr, async () => (await import('./engines/scripted.ts')).createAsr(asr)),
      };
    case 'sherpa':
    case 'whisper':
    case 'openai':
      throw new EngineError('asr', `asr.engine ${asr.engine} is not wired yet.`);
    case 'auto':
    case 'pocketsphinx': {
      const expected = asr.engine === 'pocketsphinx' ? asr.expects : 'auto';
      const builtin = llm.engine === 'auto' || llm.engine === 'builtin';
      const expects = expected === 'auto' ? (builtin ? 'builtin' : 'anything') : expected;
      const settings = { cacheDir: cache.folder, expects };
      try {
        const { providePocketSphinx } = await import('./engines/pocketsphinx/files.ts');
        await providePocketSphinx(
          { cacheDir: cache.folder, say: (line) => log.info(line) },
          new AbortController().signal,
        );
      } catch (error) {
        return off(`Voice input is off, typing works. ${(error as Error).message}`);
      }
      const why = asr.engine === 'auto' ? 'the embedded recogniser; no speech model is configured' : NAMED;
      return {
        what: `pocketsphinx (en-us, expects ${expects === 'builtin' ? "the built-in brain's sentences" : 'anything'})`,
        why,
        module: 'pocketsphinx-asr',
        settings,
      };
    }
  }
}

/** Picks the chat model. */
export function chooseLlm({ llm }: Config): Choice<ChatModel> {
  switch (llm.engine) {
    case 'auto':
    case 'builtin':
      return {
        what: 'builtin (a stand-in, no language model)',
        why: llm.engine === 'auto' ? 'no language model is configured' : NAMED,
        module: 'builtin-llm',
        settings: {},
        inProcess: async () => (await import('./engines/builtin-llm.ts')).create(),
      };
    case 'openai':
      return {
        what: `openai (${llm.model || 'first model'} at ${new URL(llm.baseUrl).host})`,
        why: NAMED,
        module: 'openai-llm',
        settings: llm,
        isServer: true,
        inProcess: async () => (await import('./engines/openai-llm.ts')).create(llm),
      };
    case 'llama':
      throw new EngineError('llm', `llm.engine ${llm.engine} is not wired yet.`);
    case 'scripted':
      return {
        ...scripted(llm, 'createLlm'),
        ...here(llm, async () => (await import('./engines/scripted.ts')).createLlm(llm)),
      };
  }
}

/** Picks the synthesiser. */
export function chooseTts({ tts }: Config): Choice<SpeechSynthesizer> {
  switch (tts.engine) {
    case 'auto':
    case 'flite':
      return {
        what: 'flite',
        why: tts.engine === 'auto' ? 'the most intelligible one that comes with the install' : NAMED,
        module: 'flite-tts',
        settings: {},
      };
    case 'sherpa':
    case 'kokoro':
    case 'openai':
      throw new EngineError('tts', `tts.engine ${tts.engine} is not wired yet.`);
    case 'scripted':
      return {
        ...scripted(tts, 'createTts'),
        ...here(tts, async () => (await import('./engines/scripted.ts')).createTts(tts)),
      };
  }
}

const scripted = (settings: object, factory: string) => ({
  what: 'scripted',
  why: NAMED,
  module: 'scripted',
  factory,
  settings,
});

/** A scripted engine runs here unless it is told otherwise, so that it adds nothing to what is measured. */
const here = <T>(settings: { ownProcess: boolean }, inProcess: () => Promise<T>) =>
  settings.ownProcess ? {} : { inProcess };

function off(voiceInputOff: string): Choice<SpeechRecognizer> & { voiceInputOff: string } {
  const deaf: SpeechRecognizer = {
    async *recognize() {
      yield { text: '', final: true, understood: true };
    },
    async [Symbol.asyncDispose]() {},
  };
  return { what: 'none', why: voiceInputOff, module: '', settings: {}, inProcess: async () => deaf, voiceInputOff };
}
