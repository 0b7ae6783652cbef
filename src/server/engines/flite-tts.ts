import type { ReplyWord } from '../../protocol/messages.ts';
import { EngineError, type SpeakingVoice, type SpeechSynthesizer, type SpokenPcm } from './contracts.ts';
import { compileFlite, FLITE_RATE, FliteInstance, type FliteSpeech } from './flite/flite-instance.ts';
import { FLITE_VOICES, finish } from './flite/voices.ts';
import { pieces } from './text/pieces.ts';
import { type SpokenToken, type SpokenWord, spokenWords } from './text/spoken-form.ts';

type Speaker = Pick<FliteInstance, 'speak'>;

const CHUNK = Math.round(FLITE_RATE * 0.08);

/** The flite synthesiser, from its npm package; speaks about eighty times faster than real time. The voice `''` is the first one. */
export async function create(): Promise<SpeechSynthesizer> {
  try {
    const ids = Object.values(FLITE_VOICES).map((voice) => voice.id);
    const module = await compileFlite(ids);
    return new FliteTts(() => new FliteInstance(module, ids));
  } catch (cause) {
    throw new EngineError('tts', 'The flite synthesiser could not be loaded; run npm ci again to install it.', {
      cause,
    });
  }
}

/** Says phrases with the instances of flite that `make` gives; see `create`. */
export class FliteTts implements SpeechSynthesizer {
  readonly rate = FLITE_RATE;
  readonly voices = Object.keys(FLITE_VOICES);
  readonly #make: () => Speaker;
  #instance: Speaker | undefined;
  #closed = false;

  constructor(make: () => Speaker) {
    this.#make = make;
    this.#instance = make();
  }

  async *speak(phrase: string, voice: SpeakingVoice, signal: AbortSignal): AsyncGenerator<SpokenPcm, void, undefined> {
    const { name, speed } = voice;
    if (!(speed >= 0.5 && speed <= 2)) throw new EngineError('tts', `The speed must be from 0.5 to 2, not ${speed}.`);
    const character = FLITE_VOICES[name || this.voices[0]!];
    if (!character) {
      throw new EngineError(
        'tts',
        `There is no voice ${JSON.stringify(name)}; choose one of ${this.voices.join(', ')}.`,
      );
    }
    let position = 0;
    for (const piece of pieces(spokenWords(phrase))) {
      // Lets an abort, and other phrases, in between pieces: flite blocks while it works.
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) return;
      if (this.#closed) throw new EngineError('tts', 'The synthesiser was closed; open a new one.');
      const tokens = piece.flatMap((word) => word.tokens);
      if (tokens.length === 0) continue;
      const sound = finish(this.#say(character.id, piece, 1 / speed), character, tokens.at(-1)!.punctuation);
      const words = wordsOf(piece, sound.tokens);
      for (let at = 0; at < sound.samples.length; at += CHUNK) {
        if (signal.aborted) return;
        const samples = sound.samples.slice(at, at + CHUNK);
        const begin = words.filter((word) => word.start >= at && word.start < at + CHUNK);
        yield { samples, words: begin.map((word) => shifted(word, position)) };
      }
      position += sound.samples.length;
    }
  }

  #say(voice: string, piece: readonly SpokenWord[], stretch: number): FliteSpeech {
    const tokens = piece.flatMap((word) => word.tokens);
    try {
      return this.#try(voice, tokens, stretch);
    } catch {
      // What trapped once is not to be trusted again; a fresh one may well get through.
      this.#instance = undefined;
    }
    try {
      return this.#try(voice, tokens, stretch);
    } catch (cause) {
      this.#instance = undefined;
      throw new EngineError('tts', 'The flite synthesiser cannot say this phrase; say it in other words.', { cause });
    }
  }

  #try(voice: string, tokens: readonly SpokenToken[], stretch: number): FliteSpeech {
    this.#instance ??= this.#make();
    return this.#instance.speak(voice, tokens, stretch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#instance = undefined;
  }
}

/** The written words with their places; one without sound lies between its neighbours. */
function wordsOf(piece: readonly SpokenWord[], tokens: FliteSpeech['tokens']): ReplyWord[] {
  let next = 0;
  let end = 0;
  return piece.map(({ text, tokens: { length } }) => {
    const spans = tokens.slice(next, next + length).filter((span) => span !== undefined);
    next += length;
    const start = spans[0]?.start ?? end;
    end = spans.at(-1)?.end ?? end;
    return { text, start, end };
  });
}

function shifted({ text, start, end }: ReplyWord, by: number): ReplyWord {
  return { text, start: start + by, end: end + by };
}
