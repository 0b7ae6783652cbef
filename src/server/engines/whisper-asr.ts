import { basename } from 'node:path';
import { mend } from '../models/mend.ts';
import type { Language } from '../models/model-entry.ts';
import { EngineError, type SpeechRecognizer, type Transcript } from './contracts.ts';
import { onCpu } from './device/on-cpu.ts';
import { Redecoder } from './redecode/redecoder.ts';
import { loadWhisper, type Variant, type WhisperContext, type WhisperPackage } from './whisper/addon.ts';
import { CHOSEN, deviceIn } from './whisper/device.ts';
import { checkGgmlFile } from './whisper/ggml-file.ts';
import { heardText } from './whisper/heard-text.ts';
import { NativeLog } from './whisper/native-log.ts';

export type WhisperAsrSettings = {
  /** The absolute path of a model in whisper.cpp's format (ggml). */
  readonly file: string;
  readonly language: Language;
  /** Words that are preferred, given to the model as if they had been said before. */
  readonly hotWords?: readonly string[];
  /** `auto` takes a card if one can be used, else the CPU; the others throw where they cannot be had. */
  readonly device: 'auto' | 'cuda' | 'vulkan' | 'cpu';
  readonly threads: number;
  /** The model's id in the manifest, for messages. */
  readonly name?: string;
};

/** Whisper listens to 30 s at once. */
const MAX_SECONDS = 28;
const RATE = 16_000;

type Opened = { readonly context: WhisperContext; readonly log: NativeLog; readonly runsOn: string };

/** Loads a model into whisper.cpp; throws an `EngineError` that names what is missing, such as the driver, and the fix. */
export async function create(settings: WhisperAsrSettings): Promise<SpeechRecognizer> {
  await checkFile(settings);
  const { context, log, runsOn } = await openOn(settings);
  const options = {
    language: settings.language,
    maxThreads: settings.threads,
    // One more try with some chance in it where the first text repeats itself, not five.
    temperatureInc: 0.6,
    ...(settings.hotWords?.length && { prompt: `${settings.hotWords.join(', ')}.` }),
  };
  // A job that fails is never settled by the package; then the log says so, or the process counts as hung.
  const decode = async (samples: Float32Array) => {
    const { promise } = context.transcribeData(asPcm16(samples), options);
    return heardText((await log.orError(promise)).result);
  };
  const redecoder = new Redecoder({ decode, maxSeconds: MAX_SECONDS });
  await redecoder.warmUp();
  let closed = false;
  async function* recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<Transcript> {
    if (closed) throw new EngineError('asr', 'The recogniser has been closed; open it again.');
    try {
      yield* redecoder.recognize(speech, signal);
    } catch (cause) {
      throw new EngineError('asr', 'whisper.cpp failed to decode.', { cause });
    }
  }
  return {
    runsOn,
    recognize,
    async [Symbol.asyncDispose]() {
      if (closed) return;
      closed = true;
      await redecoder.idle();
      await context.release();
    },
  };
}

async function openOn(settings: WhisperAsrSettings): Promise<Opened> {
  const { device } = settings;
  const cpu = onCpu(settings.threads);
  const wanted: readonly Variant[] = process.platform === 'darwin' ? ['default'] : ['cuda', 'vulkan'];
  const variants = device === 'cpu' ? [] : device === 'auto' ? wanted : [device];
  const refused: string[] = [];
  for (const variant of variants) {
    const opened = await tryCard(variant, settings);
    if (typeof opened !== 'string') return opened;
    refused.push(opened);
  }
  if (device === 'cuda' || device === 'vulkan')
    throw new EngineError('asr', `Whisper cannot use ${refused[0]}. ${FIXES[device]}`);
  const native = load('default', settings);
  const log = NativeLog.of(native);
  const context = openModel(native, settings, false);
  return { context, log, runsOn: refused.length ? `${cpu} (${refused.map((why) => `no ${why}`).join('; ')})` : cpu };
}

const FIXES = {
  cuda: 'Install the NVIDIA driver and the CUDA 12 libraries, or set asr.device to auto.',
  vulkan: 'Install the Vulkan driver of the card, or set asr.device to auto.',
};

/** Opens the model on a card, or says why that cannot be. */
async function tryCard(variant: Variant, settings: WhisperAsrSettings): Promise<Opened | string> {
  const title = { cuda: 'CUDA', vulkan: 'Vulkan', default: 'Metal' }[variant];
  let native: WhisperPackage;
  try {
    native = loadWhisper(variant);
  } catch (error) {
    const [why = ''] = (error as Error).message.split('\n');
    return `${title}: ${why.replace(/^(\S+): cannot open shared.*/, '$1 is missing')}`;
  }
  const log = NativeLog.of(native);
  const context = openModel(native, settings, true);
  const found = deviceIn(await log.having(CHOSEN));
  if (found && !found.software) return { context, log, runsOn: `${found.kind}, ${found.name}` };
  await context.release();
  if (found) return `${title}: ${found.name} is no card but a program on the CPU`;
  return `${title}: no card was found`;
}

function load(variant: Variant, { device }: WhisperAsrSettings): WhisperPackage {
  try {
    return loadWhisper(variant);
  } catch (cause) {
    const message = `Whisper (asr.device ${device}) is not installed or does not run on this machine;`;
    throw new EngineError('asr', `${message} run: npm install @fugood/whisper.node`, { cause });
  }
}

function openModel(native: WhisperPackage, { file, name }: WhisperAsrSettings, useGpu: boolean): WhisperContext {
  try {
    return new native.WhisperContext({ filePath: file, useGpu });
  } catch (cause) {
    const message = `whisper.cpp cannot load ${basename(file)}: it is damaged, or there is too little memory.`;
    throw new EngineError('asr', `${message} ${mend(name ?? file, 'verify')}`, { cause });
  }
}

async function checkFile({ file, name = file }: WhisperAsrSettings): Promise<void> {
  try {
    await checkGgmlFile(file);
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code === undefined;
    const message = isThere
      ? `${basename(file)} is no Whisper model in ggml's format, or a damaged one. ${mend(name, 'verify')}`
      : `${file} cannot be read. ${mend(name, 'pull')}`;
    throw new EngineError('asr', message, { cause });
  }
}

/** As 16-bit numbers, at least a second: whisper.cpp refuses what is shorter than a tenth. */
function asPcm16(samples: Float32Array): ArrayBuffer {
  const pcm = new Int16Array(Math.max(samples.length, RATE));
  for (let i = 0; i < samples.length; i++) pcm[i] = Math.round(samples[i]! * 32_767);
  return pcm.buffer;
}
