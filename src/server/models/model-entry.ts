/** The languages for which the manifest has models. */
export const LANGUAGES = ['en', 'zh', 'de', 'fr', 'es', 'ja'] as const;
export type Language = (typeof LANGUAGES)[number];

/** What people, and models, call them. */
export const LANGUAGE_NAMES: Readonly<Record<Language, string>> = {
  en: 'English',
  zh: 'Chinese',
  de: 'German',
  fr: 'French',
  es: 'Spanish',
  ja: 'Japanese',
};

/** How a model is built, by which its engine loads it. */
export type AsrFamily = 'zipformer' | 'parakeet' | 'moonshine' | 'whisper-onnx' | 'sense-voice' | 'whisper-ggml';
export type TtsFamily = 'kokoro' | 'vits' | 'matcha' | 'kitten';

/** One file of a model; only these are ever downloaded. */
export type ModelFile = {
  /** What the engine takes it for, such as `encoder` or `tokens`; several files of a folder share one, such as `espeak`. */
  readonly role: string;
  /** In the repository. */
  readonly path: string;
  /** Another repository than the model's own, where a part is shared by several models. */
  readonly repo?: string;
  readonly revision?: string;
  /** Size and checksum, where they are known for this revision; the hub is asked for the rest. */
  readonly bytes?: number;
  readonly sha256?: string;
  /** Weights in PyTorch's own format that only our own reader opens, which takes numbers from them and runs nothing. */
  readonly restricted?: boolean;
};

type Common = {
  /** What `voice-chat models pull` and `model:` in config.yml call it. */
  readonly id: string;
  /** For people: such as `Moonshine base (int8)`. */
  readonly title: string;
  /** On the hub, `owner/name`. */
  readonly repo: string;
  /** A commit (40 hex digits), so that nothing changes under us; `main` only where no commit is known to us. */
  readonly revision: string;
  readonly files: readonly ModelFile[];
  /** Of all files together, approximately where not every size is known. */
  readonly totalBytes: number;
  /** SPDX name, or the name of the model's own licence. */
  readonly licence: string;
  readonly languages: readonly Language[];
  /** Memory that the running model takes, on the card or beside it, without an LLM's context. */
  readonly memoryBytes: number;
  /** Better models have more; compares models of one stage only. */
  readonly quality: number;
};

export type AsrModel = Common & {
  readonly stage: 'asr';
  readonly engine: 'sherpa' | 'whisper';
  readonly family: AsrFamily;
};
export type TtsModel = Common & { readonly stage: 'tts'; readonly engine: 'sherpa'; readonly family: TtsFamily };
export type LlmModel = Common & {
  readonly stage: 'llm';
  readonly engine: 'llama';
  readonly family: 'gguf';
  /** In 10^9. */
  readonly parameters: number;
  /** Of all layers together, per token of context, at 16 bits. */
  readonly kvBytesPerToken: number;
  readonly layers: number;
  /** Of a mixture of experts: the share of the weights, 0 to 1, that one token reads; 1 if not given. */
  readonly activeShare?: number;
};
/** What makes videos of a face: two experts, of which the first begins in noise and the second finishes. */
export type Wan22Model = Common & {
  readonly stage: 'video';
  readonly engine: 'wan22';
  readonly family: 'wan22';
  readonly weights: 'fp8' | 'int8' | 'bf16';
};
/** What puts speech into a face: five networks as they were published, which are converted before they are used. */
export type MuseTalkModel = Common & {
  readonly stage: 'video';
  readonly engine: 'musetalk';
  readonly family: 'musetalk';
};
export type VideoModel = Wan22Model | MuseTalkModel;
/** A model of the conversation itself, which the plan for a machine chooses. */
export type SpeechModel = AsrModel | LlmModel | TtsModel;
export type ModelEntry = SpeechModel | VideoModel;
