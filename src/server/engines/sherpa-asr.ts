import { readFile } from 'node:fs/promises';
import { mend } from '../models/mend.ts';
import type { Language } from '../models/model-entry.ts';
import { EngineError, type SpeechRecognizer, type Transcript } from './contracts.ts';
import { onCpu } from './device/on-cpu.ts';
import { Redecoder } from './redecode/redecoder.ts';
import { loadSherpaAsr, type OfflineRecognizer, type SherpaAsr } from './sherpa/asr-addon.ts';
import { checkFiles, type FilesByRole, type SherpaAsrFamily } from './sherpa/asr-files.ts';
import { hotWords } from './sherpa/asr-hot-words.ts';
import { maxSeconds, offlineModel } from './sherpa/asr-offline.ts';
import { Streaming } from './sherpa/asr-streaming.ts';
import { shownText, writesCapitalsOnly } from './sherpa/asr-text.ts';

export type SherpaAsrSettings = {
  readonly family: SherpaAsrFamily;
  /** Absolute paths by role; `ASR_ROLES` says which a family needs, `bpe` is wanted for a Zipformer's hot words. */
  readonly files: FilesByRole;
  readonly language: Language;
  /** Words that are preferred; only streaming models (`zipformer`) can. */
  readonly hotWords?: readonly string[];
  readonly threads: number;
  /** The model's id in the manifest, for messages. */
  readonly name?: string;
};

/** Loads a model into sherpa-onnx; throws an `EngineError` that names what is missing and how to get it. */
export async function create(settings: SherpaAsrSettings): Promise<SpeechRecognizer> {
  const { family, files, name = family } = settings;
  await checkFiles(family, files, name);
  const sherpa = await loadSherpaAsr();
  const runsOn = onCpu(settings.threads);
  try {
    if (family === 'zipformer') return recognizer(await streaming(sherpa, settings), runsOn);
    if (settings.hotWords?.length) {
      const message = `${name} cannot prefer hot words: leave asr.hotWords empty, or take a streaming Zipformer model`;
      throw new EngineError('asr', `${message} or the engine whisper.`);
    }
    return recognizer(await redecoding(sherpa, settings), runsOn);
  } catch (cause) {
    if (cause instanceof EngineError) throw cause;
    const why = `sherpa-onnx does not take ${name} for a ${family} model`;
    throw new EngineError('asr', `${why}; its files may be damaged. ${mend(name, 'verify')}`, { cause });
  }
}

async function streaming(sherpa: SherpaAsr, settings: SherpaAsrSettings): Promise<Streaming> {
  const { files, threads } = settings;
  const { encoder, decoder, joiner } = files;
  const tokens = await readFile(files.tokens!, 'utf8');
  const capitalsOnly = writesCapitalsOnly(tokens);
  const preferred = await hotWords(settings.hotWords ?? [], files, tokens, capitalsOnly);
  const modelConfig = {
    transducer: { encoder, decoder, joiner },
    tokens: files.tokens,
    numThreads: threads,
    provider: 'cpu',
    ...preferred.model,
  };
  try {
    const recognizer = new sherpa.OnlineRecognizer({
      featConfig: { sampleRate: 16_000, featureDim: 80 },
      modelConfig,
      ...preferred.config,
    });
    return new Streaming(recognizer, (text) => shownText(text, capitalsOnly));
  } finally {
    await preferred.loaded();
  }
}

/** Half a second: networks with wide filters fail on less. */
const LEAST = 8_000;

async function redecoding(sherpa: SherpaAsr, settings: SherpaAsrSettings): Promise<Redecoder> {
  const config = { featConfig: { sampleRate: 16_000, featureDim: 80 }, modelConfig: offlineModel(settings) };
  const recognizer: OfflineRecognizer = await sherpa.OfflineRecognizer.createAsync(config);
  const decode = async (samples: Float32Array) => {
    const stream = recognizer.createStream();
    stream.acceptWaveform({ samples: atLeast(LEAST, samples), sampleRate: 16_000 });
    return shownText((await recognizer.decodeAsync(stream)).text);
  };
  const redecoder = new Redecoder({ decode, maxSeconds: maxSeconds(settings.family, settings.files) });
  await redecoder.warmUp();
  return redecoder;
}

/** The samples with as much silence after them as it takes to be `length` long. */
function atLeast(length: number, samples: Float32Array): Float32Array {
  if (samples.length >= length) return samples;
  const longer = new Float32Array(length);
  longer.set(samples);
  return longer;
}

type Inner = Pick<SpeechRecognizer, 'recognize'> & { idle?(): Promise<void> };

function recognizer(engine: Inner, runsOn: string): SpeechRecognizer {
  let closed = false;
  async function* recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<Transcript> {
    if (closed) throw new EngineError('asr', 'The recogniser has been closed; open it again.');
    try {
      yield* engine.recognize(speech, signal);
    } catch (cause) {
      throw cause instanceof EngineError ? cause : new EngineError('asr', 'sherpa-onnx failed to decode.', { cause });
    }
  }
  return {
    runsOn,
    recognize,
    async [Symbol.asyncDispose]() {
      closed = true; // the native parts go when nothing refers to them any more, or with the process
      await engine.idle?.();
    },
  };
}
