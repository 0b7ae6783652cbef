import { Resampler } from '../../protocol/resampler.ts';
import { EngineError, type SpeakingVoice, type SpeechSynthesizer, type SpokenPcm } from './contracts.ts';
import { exchange } from './openai/exchange.ts';
import { fittingModel } from './openai/models.ts';
import { refusal, refused } from './openai/refusal.ts';
import { ask, type Server } from './openai/server.ts';
import { SPEECH } from './openai/service.ts';
import { speechPcm } from './openai/speech-pcm.ts';
import { listVoices, USUAL_VOICES } from './openai/voices.ts';
import { chunks } from './sound/finish.ts';

export type OpenAiTtsSettings = Server & {
  /** Empty for the first one of the server that speaks. */
  readonly model: string;
  /** The voice that will be asked for by default. */
  readonly voice?: string;
  /** The voices there are, where the server does not list them; empty to ask it. */
  readonly voices?: readonly string[];
  /** How long the server may be silent before and within a phrase; 30,000 when left out. */
  readonly stallMs?: number;
};

const WANTED = {
  task: /text-to-speech/i,
  name: /tts|kokoro|piper|orpheus|xtts|bark|chatterbox|parler|f5-|cosyvoice|dia-|text-to-speech/i,
  usual: 'tts-1',
};
/** What the rate is taken for until the server has spoken; another one is changed to it. */
const USUAL_RATE = 24_000;

/**
 * A synthesiser behind any OpenAI-compatible `/v1/audio/speech`. Asks the server for its voices and has it say a word, to learn
 * its rate; where it does not answer yet, that is no error, and OpenAI's voices and 24 kHz are taken.
 */
export async function create(settings: OpenAiTtsSettings): Promise<SpeechSynthesizer> {
  const { stallMs = 30_000 } = settings;
  let { model } = settings;
  let format = 'pcm';

  const send = (input: string, voice: SpeakingVoice, signal: AbortSignal) => {
    const speed = voice.speed === 1 ? {} : { speed: voice.speed };
    const body = { model, input, voice: voice.name, response_format: format, ...speed };
    return ask(SPEECH, settings, '/audio/speech', body, signal);
  };

  async function open(input: string, voice: SpeakingVoice, signal: AbortSignal): Promise<Response> {
    model ||= await fittingModel(SPEECH, settings, WANTED, signal);
    const response = await send(input, voice, signal);
    if (response.ok) return response;
    const why = await refused(response);
    const otherFormat = format === 'pcm' && why.status !== 404 && /response_format|\bpcm\b|format/i.test(why.body);
    if (!otherFormat) throw refusal(SPEECH, { ...settings, model }, why, [input]);
    format = 'wav';
    const again = await send(input, voice, signal);
    if (again.ok) return again;
    throw refusal(SPEECH, { ...settings, model }, await refused(again), [input]);
  }

  /** The server's own sound, at the server's rate. */
  const spoken = (input: string, voice: SpeakingVoice, signal: AbortSignal) =>
    exchange(
      SPEECH,
      settings,
      {
        stallMs,
        open: (both) => open(input, voice, both),
        read: (response, stall) => speechPcm(response, settings.baseUrl, [input], stall),
      },
      signal,
    );

  const start = new AbortController();
  const listed = await voicesOf(settings, start.signal);
  const voices = listed ?? [...new Set([...(settings.voice ? [settings.voice] : []), ...USUAL_VOICES])];
  const chosen = (name: string): string => {
    if (name === '') return settings.voice || voices[0]!;
    if (!listed || voices.includes(name)) return name;
    throw new EngineError(
      'tts',
      `The speech synthesis server at ${settings.baseUrl} has no voice ${JSON.stringify(name)}; choose one of ${voices.join(', ')}, or add it to tts.voices.`,
    );
  };
  const rate = await rateOf(spoken('Hello.', { name: chosen(''), speed: 1 }, start.signal));

  return {
    rate,
    voices,
    async *speak(phrase, { name, speed }, signal): AsyncGenerator<SpokenPcm, void, undefined> {
      if (signal.aborted) return;
      if (!(speed >= 0.5 && speed <= 2)) {
        throw new EngineError('tts', `The speed must be from 0.5 to 2, not ${speed}.`);
      }
      const voice = { name: chosen(name), speed };
      const input = phrase.replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ').trim();
      // Of signs alone some servers make an error.
      if (!/[\p{L}\p{N}]/u.test(input)) return;
      let resampler: Resampler | undefined;
      for await (const pcm of spoken(input, voice, signal)) {
        if (pcm.rate !== rate) resampler ??= new Resampler(pcm.rate, rate);
        resampler?.write(pcm.samples);
        for (const samples of chunks(resampler ? readAll(resampler) : pcm.samples, rate)) {
          yield { samples };
          if (signal.aborted) return;
        }
      }
      if (!resampler || signal.aborted) return;
      resampler.end();
      for (const samples of chunks(readAll(resampler), rate)) yield { samples };
    },
    async [Symbol.asyncDispose]() {
      start.abort();
    },
  };
}

async function voicesOf(settings: OpenAiTtsSettings, signal: AbortSignal): Promise<readonly string[] | undefined> {
  const own = [...new Set(settings.voices ?? [])];
  if (own.length > 0) return own;
  const patience = AbortSignal.any([signal, AbortSignal.timeout(5_000)]);
  return listVoices(settings, patience).catch(() => undefined);
}

/** Whatever goes wrong here goes wrong again when the engine is tried out, and is then said. */
async function rateOf(speech: AsyncIterable<{ rate: number }>): Promise<number> {
  try {
    for await (const { rate } of speech) return rate;
  } catch {}
  return USUAL_RATE;
}

/** What has been made at the new rate. */
function readAll(resampler: Resampler): Float32Array {
  const samples = new Float32Array(resampler.available());
  resampler.read(samples);
  return samples;
}
