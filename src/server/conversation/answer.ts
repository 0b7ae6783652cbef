import type { SpeakingVoice, SpeechSynthesizer, SpokenPcm } from '../engines/contracts.ts';
import { type PhraseSettings, phrases } from './phrases.ts';

/** A phrase as written and as it will be spoken (perhaps not at all), then its speech, then its end. */
export type AnswerEvent =
  | { type: 'phrase'; text: string; spoken: string }
  | ({ type: 'speech' } & SpokenPcm)
  | { type: 'phrase_end' };

export type AnswerSettings = {
  readonly phrases: PhraseSettings;
  readonly voice: SpeakingVoice;
};

/** The reply as it is heard: `text` from the chat model, cut into phrases, each spoken before the next is read. */
export async function* answer(
  text: AsyncIterable<string>,
  tts: SpeechSynthesizer,
  settings: AnswerSettings,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent, void, undefined> {
  for await (const phrase of phrases(text, settings.phrases)) {
    yield { type: 'phrase', ...phrase };
    if (phrase.spoken !== '') {
      for await (const pcm of tts.speak(phrase.spoken, settings.voice, signal)) yield { type: 'speech', ...pcm };
    }
    yield { type: 'phrase_end' };
  }
}
