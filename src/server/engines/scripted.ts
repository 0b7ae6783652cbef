import { MIC_FRAME, MIC_RATE } from '../../protocol/pcm.ts';
import { abortable } from '../async/abortable.ts';
import {
  type ChatModel,
  EngineError,
  type SpeechRecognizer,
  type SpeechSynthesizer,
  type SpokenPcm,
  type Transcript,
  type VoiceDetector,
} from './contracts.ts';
import { type MishapSettings, mishaps } from './scripted/mishaps.ts';
import { pause } from './scripted/pause.ts';
import { tones } from './scripted/tones.ts';

export type ScriptedVadSettings = MishapSettings & {
  /** The loudness (root mean square, 0 to 1) at which speech is as likely as not; 0.01 when left out. */
  readonly threshold?: number;
};

/** Speech is what is loud enough. */
export async function createVad(settings: ScriptedVadSettings = {}): Promise<VoiceDetector> {
  const { threshold = 0.01 } = settings;
  const begin = mishaps('vad', settings);
  return {
    async *detect(frames, signal) {
      const hazard = begin();
      for await (const frame of abortable(frames, signal)) {
        await hazard();
        if (frame.length !== MIC_FRAME) {
          throw new EngineError('vad', `The voice detector takes frames of ${MIC_FRAME} samples, not ${frame.length}.`);
        }
        let power = 0;
        for (const sample of frame) power += sample * sample;
        power /= MIC_FRAME;
        yield power === 0 ? 0 : power / (power + threshold * threshold);
        if (signal.aborted) return;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

export type ScriptedAsrSettings = MishapSettings & {
  /** What is understood, utterance by utterance, then from the beginning: '' is noise, '?' is speech not understood. */
  readonly texts: readonly string[];
  /** From the end of the speech to the final transcript. */
  readonly delayMs?: number;
  /** A partial transcript grows by one word per so much speech; 250 when left out. */
  readonly wordMs?: number;
};

const MIC_SAMPLES_PER_MS = MIC_RATE / 1000;

/** Understands what it was told to, whatever it hears. */
export async function createAsr(settings: ScriptedAsrSettings): Promise<SpeechRecognizer> {
  const { texts, delayMs = 0, wordMs = 250 } = settings;
  const begin = mishaps('asr', settings);
  let utterances = 0;
  return {
    async *recognize(speech, signal): AsyncGenerator<Transcript, void, undefined> {
      const hazard = begin();
      const script = texts[utterances++ % Math.max(1, texts.length)] ?? '';
      const words = script === '?' ? [] : script.split(/\s+/).filter(Boolean);
      let samples = 0;
      let shown = 0;
      for await (const chunk of abortable(speech, signal)) {
        samples += chunk.length;
        const heard = Math.min(words.length, Math.floor(samples / (wordMs * MIC_SAMPLES_PER_MS)));
        if (heard <= shown) continue;
        shown = heard;
        await hazard();
        yield { text: words.slice(0, heard).join(' '), final: false, understood: true };
        if (signal.aborted) return;
      }
      await pause(delayMs, signal);
      if (signal.aborted) return;
      await hazard();
      yield { text: words.join(' '), final: true, understood: script !== '?' };
    },
    async [Symbol.asyncDispose]() {},
  };
}

export type ScriptedLlmSettings = MishapSettings & {
  /**
   * What is said, reply by reply, then from the beginning; `{said}` becomes the user's last message, `{result}` the last tool's
   * result. `{tool:time {"place":"Rome"}}` calls a tool; what follows its result is the next reply.
   */
  readonly replies: readonly string[];
  readonly firstTokenMs?: number;
  /** Between two tokens. */
  readonly tokenMs?: number;
};

/** A tool that is called, and its arguments. */
const CALL = /\{tool:(\w+)(?:\s+(\{[^{}]*\}))?\}/g;

/** Says what it was told to, word by word, and calls the tools it was told to. */
export async function createLlm(settings: ScriptedLlmSettings): Promise<ChatModel> {
  const { replies, firstTokenMs = 0, tokenMs = 0 } = settings;
  const begin = mishaps('llm', settings);
  let turns = 0;
  return {
    async *reply({ messages }, signal) {
      const hazard = begin();
      const said = messages.findLast(({ role }) => role === 'user')?.content ?? '';
      const result = messages.findLast(({ role }) => role === 'tool')?.content ?? '';
      const script = replies[turns++ % Math.max(1, replies.length)] ?? '';
      const calls = [...script.matchAll(CALL)];
      const reply = script
        .replace(CALL, '')
        .replaceAll('{said}', () => said)
        .replaceAll('{result}', () => result);
      let wait = firstTokenMs;
      for (const token of reply.match(/\s*\S+|\s+$/g) ?? []) {
        // Before the signal is looked at: an engine that hangs does so whatever it says.
        await hazard();
        await pause(wait, signal);
        if (signal.aborted) return;
        yield token;
        wait = tokenMs;
      }
      for (const [i, [, name, args = '{}']] of calls.entries()) {
        await hazard();
        if (signal.aborted) return;
        yield { id: `call${turns}${i}`, name: name!, args: JSON.parse(args) };
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

export type ScriptedTtsSettings = MishapSettings & {
  /** Samples per second, 24,000 when left out. */
  readonly rate?: number;
  /** The first word's pitch in Hz, 300 when left out; a voice named `tone-440` has its own, so that sessions can be told apart. */
  readonly pitch?: number;
  readonly firstAudioMs?: number;
  /** Between two chunks. */
  readonly chunkDelayMs?: number;
  /** Length of a chunk, 80 when left out. */
  readonly chunkMs?: number;
};

/** Sings a tone per word, each of another pitch (see `pitchOf`), with the words' exact places. */
export async function createTts(settings: ScriptedTtsSettings = {}): Promise<SpeechSynthesizer> {
  const { rate = 24_000, pitch = 300, firstAudioMs = 0, chunkDelayMs = 0, chunkMs = 80 } = settings;
  const begin = mishaps('tts', settings);
  const chunk = Math.max(1, Math.round((chunkMs * rate) / 1000));
  return {
    rate,
    voices: ['tone', 'tone-600'],
    async *speak(phrase, { name, speed }, signal): AsyncGenerator<SpokenPcm, void, undefined> {
      const hazard = begin();
      if (!(speed >= 0.5 && speed <= 2)) throw new EngineError('tts', `The speed must be from 0.5 to 2, not ${speed}.`);
      const { samples, words } = tones(phrase, { rate, speed, pitch: pitchOfVoice(name) ?? pitch });
      let wait = firstAudioMs;
      for (let start = 0; start < samples.length; start += chunk) {
        // Before the signal is looked at: an engine that hangs does so whatever it says.
        await hazard();
        await pause(wait, signal);
        if (signal.aborted) return;
        const starting = words.filter((word) => word.start >= start && word.start < start + chunk);
        yield { samples: samples.slice(start, start + chunk), ...(starting.length > 0 ? { words: starting } : {}) };
        wait = chunkDelayMs;
      }
    },
    async [Symbol.asyncDispose]() {},
  };
}

/** The pitch of a voice such as `tone-440` in Hz, undefined for the plain one. */
function pitchOfVoice(voice: string): number | undefined {
  if (voice === '' || voice === 'tone') return undefined;
  const hertz = Number(/^tone-(\d+)$/.exec(voice)?.[1]);
  if (hertz > 0) return hertz;
  throw new EngineError(
    'tts',
    `There is no scripted voice "${voice}"; choose one of tone, tone-600 (or any other pitch in Hz).`,
  );
}
