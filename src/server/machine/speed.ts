import type { AsrFamily, AsrModel, LlmModel, TtsFamily, TtsModel } from '../models/model-entry.ts';
import type { Gpu, Probe } from './machine.ts';

/** Below this many tokens a second a reply cannot keep up: its first phrase alone would take more than a second. */
export const MIN_TOKENS_PER_SECOND = 15;
/** A model that is only partly on the card must do better, for a smaller one that is wholly on it is far quicker. */
export const MIN_TOKENS_PER_SECOND_PARTLY = 25;

/**
 * Bytes a second that the processor reads of a model: 5 × 10^9 per core up to 40 × 10^9, the common two memory channels. Two
 * AVX2 cores were measured to write 28 tokens a second with 0.36 × 10^9 bytes and 15 with 0.64 × 10^9. Without AVX2 the sums
 * take longer than the reading: a quarter, a guess on the safe side.
 */
export function cpuBytesPerSecond({ cpu, platform, arch }: Probe): number {
  if (platform === 'darwin' && arch === 'arm64') return 60e9;
  const reading = Math.min(40e9, cpu.cores * 5e9);
  return cpu.avx2 || arch === 'arm64' ? reading : reading / 4;
}

/** The same of a card, which nvidia-smi does not tell: larger cards are faster, by 35 × 10^9 a second and GB as a rule. */
export function cardBytesPerSecond({ maker, name, totalBytes }: Gpu): number {
  if (maker !== 'apple') return Math.min(2_000e9, Math.max(100e9, 35 * totalBytes));
  // Apple's own figures, of the slowest chip that has the name.
  const base = /M1$/.test(name) ? 68e9 : 100e9;
  return /ultra/i.test(name) ? 800e9 : /max/i.test(name) ? 300e9 : /pro/i.test(name) ? 150e9 : base;
}

/** Tokens a second of a model with `share` (0 to 1) of its layers on the card: each token reads all active weights once. */
export function tokensPerSecond(model: LlmModel, share: number, cardSpeed: number, cpuSpeed: number): number {
  const bytes = model.totalBytes * (model.activeShare ?? 1);
  // Reading is never perfect: 0.6 of the card's rate; the processor's rate is already a measured one.
  const seconds = (bytes * share) / (0.6 * Math.max(1, cardSpeed)) + (bytes * (1 - share)) / cpuSpeed;
  return 1 / seconds;
}

/** Processor cores from which a speech model on the processor is quick enough for talk. */
export function coresFor(model: AsrModel | TtsModel): number {
  // Whisper always reads half a minute of sound, be the speech as short as it may: its size decides.
  if (model.family === 'whisper-onnx') return Math.ceil(model.totalBytes / 65e6);
  return CORES[model.family];
}

const CORES: Readonly<Record<Exclude<AsrFamily, 'whisper-onnx'> | TtsFamily, number>> = {
  ...{ zipformer: 1, moonshine: 2, 'sense-voice': 2, parakeet: 6, 'whisper-ggml': Number.POSITIVE_INFINITY },
  ...{ kitten: 1, vits: 1, matcha: 2, kokoro: 4 },
};

/** Milliseconds from the end of four seconds of speech to their text: rough, by the size of the network. */
export function asrMs(model: AsrModel | undefined, onCard: boolean, { cpu }: Probe): number {
  if (model === undefined) return 170;
  if (onCard) return 120;
  const oneCore = { zipformer: 150, moonshine: 500, 'sense-voice': 500, parakeet: 1_600, 'whisper-ggml': 4_000 };
  const ms = model.family === 'whisper-onnx' ? model.totalBytes / 0.13e6 : oneCore[model.family];
  return ms / Math.min(4, Math.max(1, cpu.cores / 2));
}

/** Milliseconds from a first phrase of eight words to its first sound: rough, by the size of the network. */
export function ttsMs(family: TtsFamily | undefined, onCard: boolean, { cpu }: Probe): number {
  if (family === undefined) return 55;
  if (onCard) return 100;
  const oneCore = { kitten: 500, vits: 300, matcha: 500, kokoro: 2_000 };
  return oneCore[family] / Math.min(4, Math.max(1, cpu.cores / 2));
}

/** Milliseconds from the text to the first phrase: about 40 new tokens read, 15 written. */
export function firstPhraseMs(tokensASecond: number, onCard: boolean): number {
  // Reading goes many tokens at once: measured 4 to 5 times as fast as writing on two cores; cards do far better.
  return (40 / (tokensASecond * (onCard ? 20 : 4.5)) + 15 / tokensASecond) * 1_000;
}

/** Whether the processor's share of the weights can be read once in a quarter of a second, as every prompt needs it. */
export const readsPromptInTime = (model: LlmModel, share: number, cpuSpeed: number): boolean =>
  (model.totalBytes * (1 - share)) / cpuSpeed <= 0.25;
