import { joinedSamples, MIC_RATE } from '../../protocol/pcm.ts';
import { abortable } from '../async/abortable.ts';
import type { SpeechRecognizer, Transcript } from './contracts.ts';
import { exchange } from './openai/exchange.ts';
import { fittingModel } from './openai/models.ts';
import { refusal, refused } from './openai/refusal.ts';
import { ask, type Server } from './openai/server.ts';
import { TRANSCRIPTION } from './openai/service.ts';
import { transcriptTexts } from './openai/transcript-texts.ts';
import { wavFile } from './openai/wav.ts';

export type OpenAiAsrSettings = Server & {
  /** Empty for the first one of the server that recognises speech. */
  readonly model: string;
  /** ISO 639-1, such as `en`; left out or empty to let the server find out. */
  readonly language?: string;
  /** Words it should expect, such as names. */
  readonly hotWords?: readonly string[];
  /** How long the server may be silent after an utterance; 30,000 when left out. */
  readonly stallMs?: number;
};

const WANTED = {
  task: /speech-recognition|transcription/i,
  name: /whisper|transcribe|parakeet|canary|moonshine|sense-?voice|paraformer|voxtral|conformer|asr|stt|speech-to-text/i,
  usual: 'whisper-1',
};
/** Servers refuse what is shorter, and nothing is said in it. */
const SHORTEST = 0.1 * MIC_RATE;

/**
 * A recogniser behind any OpenAI-compatible `/v1/audio/transcriptions`: an utterance is sent when it ends; partial texts come
 * from servers that stream their answer. Nothing is sent before the first utterance.
 */
export async function create(settings: OpenAiAsrSettings): Promise<SpeechRecognizer> {
  const { language = '', hotWords = [], stallMs = 30_000 } = settings;
  let { model } = settings;
  let streams = true;

  const send = (wav: Uint8Array<ArrayBuffer>, stream: boolean, signal: AbortSignal) => {
    const form = new FormData();
    form.set('file', new Blob([wav], { type: 'audio/wav' }), 'utterance.wav');
    form.set('model', model);
    form.set('response_format', 'json');
    if (language !== '') form.set('language', language);
    if (hotWords.length > 0) form.set('prompt', hotWords.join(', '));
    if (stream) form.set('stream', 'true');
    return ask(TRANSCRIPTION, settings, '/audio/transcriptions', form, signal);
  };

  async function open(wav: Uint8Array<ArrayBuffer>, signal: AbortSignal): Promise<Response> {
    model ||= await fittingModel(TRANSCRIPTION, settings, WANTED, signal);
    const response = await send(wav, streams, signal);
    if (response.ok) return response;
    const why = await refused(response);
    if (!streams || why.status === 404 || !/stream/i.test(why.body)) {
      throw refusal(TRANSCRIPTION, { ...settings, model }, why, []);
    }
    streams = false;
    const again = await send(wav, false, signal);
    if (again.ok) return again;
    throw refusal(TRANSCRIPTION, { ...settings, model }, await refused(again), []);
  }

  return {
    async *recognize(speech, signal): AsyncGenerator<Transcript, void, undefined> {
      const chunks: Float32Array[] = [];
      for await (const chunk of abortable(speech, signal)) chunks.push(chunk);
      if (signal.aborted) return;
      const samples = joinedSamples(chunks);
      if (samples.length < SHORTEST) {
        yield { text: '', final: true, understood: true };
        return;
      }
      const wav = wavFile(samples, MIC_RATE);
      const texts = exchange(
        TRANSCRIPTION,
        settings,
        {
          stallMs,
          open: (both) => open(wav, both),
          read: (response, stall) => transcriptTexts(response, settings.baseUrl, stall),
        },
        signal,
      );
      let text = '';
      for await (const next of texts) {
        if (text !== '') yield { text, final: false, understood: true };
        text = tidy(next);
      }
      if (!signal.aborted) yield { text, final: true, understood: true };
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** Without what Whisper writes of sounds that are no words: `[BLANK_AUDIO]`, `(music playing)`, `*sighs*`, `♪`. */
function tidy(text: string): string {
  const words = text.replace(/\[[^\]]*\]|\*[^*]*\*|♪/g, ' ').replace(/^\s*\([^)]*\)\s*$/, '');
  return words.replace(/\s+/g, ' ').trim();
}
