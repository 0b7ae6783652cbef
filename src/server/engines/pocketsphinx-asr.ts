import { abortable } from '../async/abortable.ts';
import { EngineError, type SpeechRecognizer, type Transcript } from './contracts.ts';
import { Ear, type EarParts } from './pocketsphinx/ear.ts';
import { providePocketSphinx } from './pocketsphinx/files.ts';
import { withBuiltinModel } from './pocketsphinx/language-model.ts';
import { loadLibrary } from './pocketsphinx/library.ts';
import { loadNoiseSuppression } from './pocketsphinx/noise-suppression.ts';
import { isUnderstood } from './pocketsphinx/understood.ts';

export type PocketSphinxSettings = {
  /** `builtin`: the sentences of the built-in brain, else not understood. `anything`: general English, all understood. */
  readonly expects?: 'builtin' | 'anything';
  /** Where the Debian packages are kept when they are not installed; `~/.cache/voice-chat` if not given. */
  readonly cacheDir?: string;
  /** Never ask the network for them. */
  readonly offline?: boolean;
  /** Take the noise out before recognising; true if not given. */
  readonly noiseSuppression?: boolean;
  /** Utterances that are decoded at the same time; more wait. 4 if not given. */
  readonly parallel?: number;
  /** An ARPA file to use instead of the built-in brain's. */
  readonly languageModel?: string;
};

/** Samples decoded before others get their turn: 100 ms. */
const STEP = 1600;

/** Opens PocketSphinx; throws an `EngineError` that says how to get it when it is neither here nor in reach. */
export async function create(settings: PocketSphinxSettings = {}): Promise<SpeechRecognizer> {
  const { expects = 'builtin', noiseSuppression = true, parallel = 4, languageModel } = settings;
  let files: EarParts['files'];
  try {
    files = await providePocketSphinx(settings, new AbortController().signal);
  } catch (cause) {
    throw new EngineError('asr', `PocketSphinx is not there. ${(cause as Error).message}`, { cause });
  }
  try {
    const library = loadLibrary(files.libraries);
    const parts = { library, files, ...(noiseSuppression && { openSuppressor: loadNoiseSuppression() }) };
    const openEar = (expected?: string) => new Ear({ ...parts, ...(expected !== undefined && { expected }) });
    const open = async () => {
      if (expects === 'anything') return openEar();
      return languageModel ? openEar(languageModel) : withBuiltinModel(openEar);
    };
    return new PocketSphinx(await open(), open, parallel, expects === 'anything');
  } catch (cause) {
    const message = `PocketSphinx was found but cannot be started: ${(cause as Error).message}`;
    const fix = (cause as Error).cause ? '' : ' Reinstall libpocketsphinx3 and pocketsphinx-en-us.';
    throw new EngineError('asr', `${message}${fix}`, { cause });
  }
}

class PocketSphinx implements SpeechRecognizer {
  readonly #open: () => Promise<Ear>;
  readonly #parallel: number;
  readonly #trusting: boolean;
  readonly #idle: Ear[];
  readonly #queue: (() => void)[] = [];
  #busy = 0;
  #closed = false;

  constructor(first: Ear, open: () => Promise<Ear>, parallel: number, trusting: boolean) {
    this.#trusting = trusting;
    this.#idle = [first];
    this.#open = open;
    this.#parallel = Math.max(1, parallel);
  }

  async *recognize(speech: AsyncIterable<Float32Array>, signal: AbortSignal): AsyncGenerator<Transcript> {
    if (!(await this.#turn(signal))) return;
    let ear: Ear | undefined;
    try {
      ear = this.#idle.pop() ?? (await this.#open());
      yield* listen(ear, this.#trusting, speech, signal);
    } catch (cause) {
      throw cause instanceof EngineError ? cause : new EngineError('asr', 'PocketSphinx failed to decode.', { cause });
    } finally {
      if (ear) this.#giveBack(ear);
      this.#busy -= 1;
      this.#queue.shift()?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const ear of this.#idle.splice(0)) ear.close();
  }

  /** Waits until fewer than `parallel` are being decoded; false when `signal` aborts first. */
  async #turn(signal: AbortSignal): Promise<boolean> {
    while (this.#busy >= this.#parallel && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const go = () => {
          signal.removeEventListener('abort', leave);
          resolve();
        };
        const leave = () => {
          this.#queue.splice(this.#queue.indexOf(go), 1);
          resolve();
        };
        this.#queue.push(go);
        signal.addEventListener('abort', leave, { once: true });
      });
    }
    if (signal.aborted) return false;
    if (this.#closed) throw new EngineError('asr', 'PocketSphinx has been closed; open it again.');
    this.#busy += 1;
    return true;
  }

  #giveBack(ear: Ear): void {
    ear.cancel();
    if (this.#closed) ear.close();
    else this.#idle.push(ear);
  }
}

async function* listen(
  ear: Ear,
  trusting: boolean,
  speech: AsyncIterable<Float32Array>,
  signal: AbortSignal,
): AsyncGenerator<Transcript> {
  ear.start();
  let text = '';
  let sinceLook = 0;
  for await (const chunk of abortable(speech, signal)) {
    for (let at = 0; at < chunk.length; at += STEP) {
      const step = chunk.subarray(at, at + STEP);
      ear.hear(step);
      sinceLook += step.length;
      if (sinceLook < STEP) continue;
      sinceLook = 0;
      const partial = ear.text();
      if (partial && partial !== text) yield { text: (text = partial), final: false, understood: true };
      // A long chunk must not keep an abort, or another utterance, waiting until its end.
      if (chunk.length > STEP) await new Promise(setImmediate);
      if (signal.aborted) return;
    }
  }
  if (signal.aborted) return;
  const { text: final, evidence } = ear.finish();
  yield { text: final, final: true, understood: trusting || isUnderstood(evidence) };
}
