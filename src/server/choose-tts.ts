import { type Choice, here, NAMED, scripted } from './choice.ts';
import { type Config, usualSettings } from './config.ts';
import type { SpeechSynthesizer } from './engines/contracts.ts';
import type { Supplied, Supply } from './model-supply.ts';

/** A phrase is made at once by some models, on a slow processor perhaps. */
const STALL_MS = 60_000;
const START_MS = 300_000;

/** Picks the synthesiser. */
export function chooseTts(config: Config, supply: Supply): Choice<SpeechSynthesizer> {
  const { tts } = config;
  switch (tts.engine) {
    case 'auto': {
      const supplied = supply.tts;
      if (!supplied) return flite(supply.without.tts ?? 'the most intelligible one that comes with the install');
      const fallback = async () => flite(`the model ${supplied.id} could not be loaded`);
      const sound = sherpa(supplied, config, usualSettings('tts', 'sherpa'));
      if (supplied.plan?.engine !== 'kokoro') return { ...sound, fallback };
      return {
        ...kokoro(supplied, config, usualSettings('tts', 'kokoro')),
        fallback: async () => ({ ...sound, fallback }),
      };
    }
    case 'sherpa':
      return sherpa(supply.tts!, config, tts);
    case 'kokoro':
      return kokoro(supply.tts!, config, tts);
    case 'openai':
      return {
        what: `openai (${tts.model || 'first model'} at ${new URL(tts.baseUrl).host})`,
        why: NAMED,
        module: 'openai-tts',
        settings: tts,
        isServer: true,
        inProcess: async () => (await import('./engines/openai-tts.ts')).create(tts),
      };
    case 'flite':
      return flite(NAMED);
    case 'scripted':
      return {
        ...scripted(tts, 'createTts'),
        ...here(tts, async () => (await import('./engines/scripted.ts')).createTts(tts)),
      };
  }
}

function sherpa({ title, family, files, why, plan }: Supplied, { language }: Config, own: { threads: number }) {
  return {
    what: `sherpa-onnx (${title})`,
    why,
    module: 'sherpa-tts',
    settings: { family, files, language, threads: own.threads || plan?.threads || 2 },
    startMs: START_MS,
    stallMs: STALL_MS,
  } satisfies Choice<SpeechSynthesizer>;
}

function kokoro({ title, files, why, plan }: Supplied, { language }: Config, own: { device: string; threads: number }) {
  return {
    what: `kokoro (${title})`,
    why,
    module: 'kokoro-tts',
    settings: { files, language, device: own.device, threads: own.threads || plan?.threads || 4 },
    startMs: START_MS,
    stallMs: STALL_MS,
  } satisfies Choice<SpeechSynthesizer>;
}

const flite = (why: string): Choice<SpeechSynthesizer> => ({ what: 'flite', why, module: 'flite-tts', settings: {} });
