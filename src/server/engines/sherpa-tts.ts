import type { Language, TtsFamily } from '../models/model-entry.ts';
import { EngineError, type SpeakingVoice, type SpeechSynthesizer, type SpokenPcm } from './contracts.ts';
import { onCpu } from './device/on-cpu.ts';
import { checkTtsFiles, knownHan, sherpaTtsConfig, type TtsFacts, type TtsFiles } from './sherpa/tts-files.ts';
import { loadSherpaTts, type SherpaTts } from './sherpa/tts-library.ts';
import { type SayablePiece, sayable } from './sherpa/tts-text.ts';
import { chunks, finished } from './sound/finish.ts';
import { begunIn, sharedTime } from './sound/share-time.ts';
import { chosenVoice, type NumberedVoice } from './voices/chosen-voice.ts';
import { kokoroNames, voicesFor } from './voices/kokoro-voices.ts';

/** Which model to speak with. */
export type SherpaTtsSettings = {
  readonly family: TtsFamily;
  readonly files: TtsFiles;
  readonly language: Language;
  readonly threads: number;
  /** The speakers' names by their ids; what the model itself says if not given. */
  readonly voices?: readonly string[];
};

const SENTENCE_PAUSE_MS = 200;
const PAUSE_MS = 90;

/**
 * Loads a Kokoro, Piper (`vits`), Matcha or Kitten model with sherpa-onnx, on the CPU; throws an `EngineError`. These models
 * do not tell where words lie: in English that is estimated, piece by piece, in other languages left to the listener.
 */
export async function create(settings: SherpaTtsSettings): Promise<SpeechSynthesizer> {
  const { family, files, language, threads } = settings;
  const facts = await checkTtsFiles(family, files);
  const names = settings.voices ?? namesOf(family, facts);
  if (names.length !== facts.speakers) {
    const message = `The model ${files.model} has ${facts.speakers} voices, but its manifest entry names ${names.length}.`;
    throw new EngineError('tts', message);
  }
  const model = await loadSherpaTts(sherpaTtsConfig(family, files, language, threads), files.model!);
  const han = language === 'zh' || language === 'ja' ? await knownHan(family, files) : undefined;
  return new SherpaSynthesizer(model, voicesFor(names, language), (phrase) => sayable(phrase, language, han), threads);
}

function namesOf(family: TtsFamily, { names, speakers }: TtsFacts): readonly string[] {
  if (names.length > 0) return names;
  const known = family === 'kokoro' ? kokoroNames(speakers) : undefined;
  return known ?? Array.from({ length: speakers }, (_, id) => `speaker-${id}`);
}

class SherpaSynthesizer implements SpeechSynthesizer {
  readonly rate: number;
  readonly voices: readonly string[];
  readonly runsOn: string;
  readonly #model: SherpaTts;
  readonly #numbered: readonly NumberedVoice[];
  readonly #sayable: (phrase: string) => SayablePiece[];
  readonly #closed = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(
    model: SherpaTts,
    voices: readonly NumberedVoice[],
    sayable: (phrase: string) => SayablePiece[],
    threads: number,
  ) {
    this.#model = model;
    this.#numbered = voices;
    this.#sayable = sayable;
    this.rate = model.sampleRate;
    this.voices = voices.map(({ name }) => name);
    this.runsOn = onCpu(threads);
  }

  async *speak(phrase: string, voice: SpeakingVoice, signal: AbortSignal): AsyncGenerator<SpokenPcm, void, undefined> {
    const id = chosenVoice(voice, this.#numbered);
    if (signal.aborted) return;
    let position = 0;
    for (const { text, endsSentence, words } of this.#sayable(phrase)) {
      const made = await this.#make(text, id, voice.speed, signal);
      if (signal.aborted) return;
      if (this.#closed.signal.aborted) throw new EngineError('tts', 'The synthesiser was closed; open a new one.');
      const sound = finished(made, this.rate, endsSentence ? SENTENCE_PAUSE_MS : PAUSE_MS);
      const times = sharedTime(words, sound.voiced);
      let at = 0;
      for (const samples of chunks(sound.samples, this.rate)) {
        if (signal.aborted) return;
        const begun = begunIn(times, at, samples.length, position);
        yield begun.length > 0 ? { samples, words: begun } : { samples };
        at += samples.length;
      }
      position += at;
    }
  }

  /**
   * One piece of speech. Pieces of several phrases take turns; one that is no longer wanted gives its turn away at once,
   * and the little that is still made of it, which nothing can stop, is thrown away.
   */
  async #make(text: string, sid: number, speed: number, signal: AbortSignal): Promise<Float32Array> {
    const stop = AbortSignal.any([signal, this.#closed.signal]);
    let onStop = () => {};
    const stopped = new Promise<void>((resolve) => {
      onStop = resolve;
    });
    stop.addEventListener('abort', onStop, { once: true });
    const before = this.#last;
    let leave = () => {};
    const left = new Promise<void>((resolve) => {
      leave = resolve;
    });
    this.#last = before.then(() => left);
    const silence = new Float32Array(0);
    try {
      if (!stop.aborted) await Promise.race([before, stopped]);
      if (stop.aborted) return silence;
      const onProgress = () => (stop.aborted ? 0 : 1);
      const made = this.#model.generateAsync({ text, sid, speed, enableExternalBuffer: false, onProgress });
      made.catch(() => {});
      return (await Promise.race([made, stopped]))?.samples ?? silence;
    } catch (cause) {
      // Its only word for a text that has no sound in the end.
      if (String(cause).includes('produced no audio')) return silence;
      throw new EngineError('tts', 'The voice model cannot say this phrase; say it in other words.', { cause });
    } finally {
      stop.removeEventListener('abort', onStop);
      leave();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort();
  }
}
