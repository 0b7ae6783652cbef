import { z } from 'zod';
import { flag, number, oneOf, section, text, texts, url, whole } from './config-values.ts';
import { LANGUAGES } from './models/model-entry.ts';
import { TOOL_NAMES } from './tools/tool-box.ts';
import { videoShape } from './video-shape.ts';

/** What every scripted engine can be told to do wrong, and whether it runs in a process of its own like a real one. */
const scripted = {
  ownProcess: flag.default(false),
  /** The first call (counted from 1) that goes wrong, and how. */
  failOnCall: whole(0, 1_000_000).default(0),
  /** Items that the call gives before it goes wrong. */
  failAfter: whole(0, 1_000_000).default(0),
  failure: oneOf('error', 'hang', 'block', 'crash').default('error'),
};

const vadCommon = {
  speechThreshold: number(0, 1).default(0.5),
  pauseThreshold: number(0, 1).default(0.35),
  confirmMs: whole(0, 2_000, 'milliseconds').default(96),
  preRollMs: whole(0, 2_000, 'milliseconds').default(320),
};
const llmCommon = {
  systemPrompt: text.default(
    'You are a friendly voice assistant. Your answers are spoken aloud: keep them short, in plain sentences, without lists or markup.',
  ),
  historyMessages: whole(1, 1_000).default(40),
  tools: z.array(oneOf(...TOOL_NAMES), { error: 'must be a list, such as [time, timer]' }).default([...TOOL_NAMES]),
};
/** What every language model that is not built in takes. */
const sampling = {
  temperature: number(0, 2).default(0.7),
  maxTokens: whole(1, 100_000).default(400),
};
/** 0 takes what the plan for this machine says. */
const threads = whole(0, 256).default(0);
const ttsCommon = {
  voice: text.default(''),
  speed: number(0.5, 2).default(1),
};

/** The settings of `config.yml`, with their limits and defaults; of each stage one shape for each engine. */
export const configShape = section({
  server: section({
    host: text.default('127.0.0.1'),
    port: whole(0, 65_535).default(8000),
    allowedHosts: texts.default([]),
    allowedOrigins: texts.default([]),
    token: text.default(''),
    tls: section({ cert: text.default(''), key: text.default('') }).prefault({}),
  }).prefault({}),
  log: section({ level: oneOf('debug', 'info', 'warn', 'error').default('info') }).prefault({}),
  cache: section({ folder: text.default('~/.cache/voice-chat') }).prefault({}),
  language: oneOf(...LANGUAGES).default('en'),
  models: section({
    folder: text.default('~/.cache/huggingface/hub'),
    hub: url.default('https://huggingface.co'),
    token: text.default(''),
    offline: flag.default(false),
  }).prefault({}),
  vad: z.discriminatedUnion('engine', [
    section({ engine: z.literal('auto'), ...vadCommon }),
    section({ engine: z.literal('silero'), ...vadCommon }),
    section({ engine: z.literal('scripted'), ...vadCommon, ...scripted, threshold: number(0, 1).default(0.01) }),
  ]),
  turn: section({
    endSilenceMs: whole(64, 10_000, 'milliseconds').default(416),
    maxSpeechMs: whole(1_000, 600_000, 'milliseconds').default(90_000),
    notUnderstood: text.default('Sorry, I did not catch that.'),
  }).prefault({}),
  asr: z.discriminatedUnion('engine', [
    section({ engine: z.literal('auto') }),
    section({ engine: z.literal('off') }),
    section({ engine: z.literal('pocketsphinx'), expects: oneOf('auto', 'builtin', 'anything').default('auto') }),
    section({
      engine: z.literal('sherpa'),
      model: text.default(''),
      hotWords: texts.default([]),
      threads,
    }),
    section({
      engine: z.literal('whisper'),
      model: text.default(''),
      hotWords: texts.default([]),
      device: oneOf('auto', 'cuda', 'vulkan', 'cpu').default('auto'),
      threads,
    }),
    section({
      engine: z.literal('openai'),
      baseUrl: url,
      model: text.default(''),
      apiKey: text.default(''),
      hotWords: texts.default([]),
    }),
    section({
      engine: z.literal('scripted'),
      ...scripted,
      texts: texts.default(['hello']),
      delayMs: whole(0, 60_000).default(0),
      wordMs: whole(1, 60_000).default(250),
    }),
  ]),
  llm: z.discriminatedUnion('engine', [
    section({ engine: z.literal('auto'), ...llmCommon }),
    section({ engine: z.literal('builtin'), ...llmCommon }),
    section({
      engine: z.literal('openai'),
      ...llmCommon,
      baseUrl: url,
      model: text.default(''),
      apiKey: text.default(''),
      ...sampling,
    }),
    section({
      engine: z.literal('llama'),
      ...llmCommon,
      model: text.default(''),
      device: oneOf('auto', 'cuda', 'vulkan', 'metal', 'cpu').default('auto'),
      gpuLayers: whole(-1, 1_000).default(-1),
      contextTokens: whole(0, 1_048_576).default(0),
      conversations: whole(0, 64).default(0),
      threads,
      ...sampling,
      thinking: flag.default(false),
    }),
    section({
      engine: z.literal('scripted'),
      ...llmCommon,
      ...scripted,
      replies: texts.default(['This is a scripted reply. It has two sentences.']),
      firstTokenMs: whole(0, 60_000).default(0),
      tokenMs: whole(0, 60_000).default(0),
    }),
  ]),
  tts: z.discriminatedUnion('engine', [
    section({ engine: z.literal('auto'), ...ttsCommon }),
    section({ engine: z.literal('flite'), ...ttsCommon }),
    section({ engine: z.literal('sherpa'), ...ttsCommon, model: text.default(''), threads }),
    section({
      engine: z.literal('kokoro'),
      ...ttsCommon,
      model: text.default(''),
      device: oneOf('auto', 'cuda', 'cpu').default('auto'),
      threads,
    }),
    section({
      engine: z.literal('openai'),
      ...ttsCommon,
      baseUrl: url,
      model: text.default(''),
      apiKey: text.default(''),
      voices: texts.default([]),
    }),
    section({
      engine: z.literal('scripted'),
      ...ttsCommon,
      ...scripted,
      rate: whole(8_000, 48_000).default(24_000),
      pitch: number(50, 4_000, 'Hz').default(300),
      firstAudioMs: whole(0, 60_000).default(0),
      chunkDelayMs: whole(0, 60_000).default(0),
      chunkMs: whole(1, 1_000).default(80),
    }),
  ]),
  speech: section({
    leadMs: whole(200, 60_000, 'milliseconds').default(2_000),
    firstPhraseWords: whole(1, 50).default(8),
    phraseLetters: whole(20, 2_000).default(240),
  }).prefault({}),
  video: videoShape,
  limits: section({
    sessions: whole(1, 10_000).default(200),
    resumeSeconds: whole(0, 3_600).default(90),
    idleMinutes: number(0.01, 1_440).default(10),
    sessionMinutes: number(0.01, 10_080).default(240),
    // More would not fit into a text message of 64 KiB, whatever the letters are.
    textLetters: whole(1, 20_000).default(4_000),
    messagesPerSecond: whole(10, 10_000).default(200),
    outboundBytes: whole(65_536, 67_108_864).default(1_048_576),
    stallSeconds: number(1, 600, 'seconds').default(10),
  }).prefault({}),
});
