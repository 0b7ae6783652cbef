import type { Language } from '../models/model-entry.ts';
import { EngineError, type SpeakingVoice, type SpeechSynthesizer, type SpokenPcm } from './contracts.ts';
import { onCpu } from './device/on-cpu.ts';
import { chooseDevice, TRIALS } from './kokoro/choose-device.ts';
import { readLexicon, readTokens } from './kokoro/lexicon.ts';
import { type KokoroNetwork, openNetwork } from './kokoro/network.ts';
import { openPhonemizer } from './kokoro/phonemizer.ts';
import { brokenFile, checkedFiles, readStyles, type Styles } from './kokoro/styles.ts';
import { type Pronouncing, type Utterance, unknownWords, utterances } from './kokoro/utterance.ts';
import { wordTimes } from './kokoro/word-times.ts';
import { chunks, finished } from './sound/finish.ts';
import { begunIn } from './sound/share-time.ts';
import { chosenVoice } from './voices/chosen-voice.ts';

/** Which Kokoro model to speak with, and on what. */
export type KokoroTtsSettings = {
  /** By role, absolute paths: `model`, `voices`, `tokens` and the American lexicon (`lexicon-us`, or the first `lexicon…`). */
  readonly files: Readonly<Record<string, string>>;
  readonly language: Language;
  /** `cuda` never falls back; `auto` takes the faster one. */
  readonly device: 'auto' | 'cuda' | 'cpu';
  /** On the CPU; 0 leaves it to ONNX Runtime. */
  readonly threads: number;
  /** The speakers' names by their ids; what the model itself says if not given. */
  readonly voices?: readonly string[];
};

const SENTENCE_PAUSE_MS = 200;
const PAUSE_MS = 90;
/** A network blocks its process; one that does so for six seconds counts as hung, and the CPU may be slow. */
const SHORT_PIECES = [6, 12] as const;
const LONG_PIECES = [10, 24] as const;
const TRIAL_PHRASES = [
  'Hello.',
  'It is good to see you.',
  'How are you this morning?',
  'What would you like to know today?',
];

/** Loads Kokoro with ONNX Runtime, which can use CUDA, for English; throws an `EngineError` that names the fix. */
export async function create(settings: KokoroTtsSettings): Promise<SpeechSynthesizer> {
  const { language, device, threads } = settings;
  if (language !== 'en') {
    throw new EngineError('tts', `The engine kokoro speaks English only; set tts.engine to sherpa for ${language}.`);
  }
  const files = await checkedFiles(settings.files);
  const styles = await readStyles(files, settings.voices);
  const ids = await readTokens(files.tokens);
  const spoken = { dictionary: await readLexicon(files.lexicon), ids, mostTokens: styles.rows - 1 };
  const trials = TRIAL_PHRASES.flatMap((phrase) =>
    utterances(phrase, { ...spoken, pieceTokens: LONG_PIECES }).slice(0, 1),
  );
  if (trials.length < TRIALS) throw brokenFile(files.tokens, 'has none of the phonemes that the lexicon uses');
  const cpu = threads > 0 ? onCpu(threads) : 'CPU';
  const { network, runsOn } = await chooseDevice(
    device,
    (on) => openNetwork(files.model, on, threads),
    async (candidate, phrase) => {
      const { tokens } = trials[phrase]!;
      const begin = performance.now();
      await candidate.speak(tokens, styles.of(0, tokens.length), 1);
      return performance.now() - begin;
    },
    cpu,
  );
  const pronouncing = { ...spoken, pieceTokens: network.device === 'cuda' ? LONG_PIECES : SHORT_PIECES };
  return new KokoroSynthesizer(network, styles, pronouncing, await openPhonemizer(), runsOn);
}

class KokoroSynthesizer implements SpeechSynthesizer {
  readonly rate: number;
  readonly voices: readonly string[];
  readonly runsOn: string;
  readonly #network: KokoroNetwork;
  readonly #styles: Styles;
  readonly #pronouncing: Pronouncing;
  readonly #ask: Awaited<ReturnType<typeof openPhonemizer>>;
  #closed = false;

  constructor(
    network: KokoroNetwork,
    styles: Styles,
    pronouncing: Pronouncing,
    ask: Awaited<ReturnType<typeof openPhonemizer>>,
    runsOn: string,
  ) {
    this.#network = network;
    this.#styles = styles;
    this.#pronouncing = pronouncing;
    this.#ask = ask;
    this.runsOn = runsOn;
    this.rate = styles.rate;
    this.voices = styles.voices.map(({ name }) => name);
  }

  async *speak(phrase: string, voice: SpeakingVoice, signal: AbortSignal): AsyncGenerator<SpokenPcm, void, undefined> {
    const id = chosenVoice(voice, this.#styles.voices);
    const other = await this.#ask?.(unknownWords(phrase, this.#pronouncing.dictionary));
    const pronouncing = other ? { ...this.#pronouncing, other } : this.#pronouncing;
    let position = 0;
    for (const utterance of utterances(phrase, pronouncing)) {
      // Lets an abort, and other phrases, in between: the network blocks while it works.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) return;
      const { samples, words } = await this.#say(utterance, id, voice.speed);
      let at = 0;
      for (const chunk of chunks(samples, this.rate)) {
        if (signal.aborted) return;
        yield { samples: chunk, words: begunIn(words, at, chunk.length, position) };
        at += chunk.length;
      }
      position += samples.length;
    }
  }

  async #say({ tokens, words, endsSentence }: Utterance, voice: number, speed: number) {
    if (this.#closed) throw new EngineError('tts', 'The synthesiser was closed; open a new one.');
    try {
      const made = await this.#network.speak(tokens, this.#styles.of(voice, tokens.length), speed);
      const speech = finished(made.samples, this.rate, endsSentence ? SENTENCE_PAUSE_MS : PAUSE_MS);
      const durations = made.durations && {
        ofTokens: made.durations,
        samples: made.samples.length,
        skipped: speech.skipped,
      };
      return { samples: speech.samples, words: wordTimes(words, speech.voiced, durations) };
    } catch (cause) {
      throw new EngineError('tts', 'Kokoro cannot say this phrase; say it in other words.', { cause });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#network.close();
  }
}
