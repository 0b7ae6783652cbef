import { abortable } from '../async/abortable.ts';
import type { SpeechSynthesizer } from '../engines/contracts.ts';
import { type AnswerSettings, answer } from './answer.ts';
import type { SessionEvent } from './session-event.ts';
import type { Turn } from './turn.ts';

export type ReplySettings = {
  readonly answer: AnswerSettings;
  /** How far the speech sent may be ahead of what the user has heard. */
  readonly leadMs: number;
};

/**
 * Everything the user is told of one reply, in order, while the turn's ledger and moments are kept; ends without `reply_done`
 * when the turn is aborted, and throws what an engine throws.
 */
export async function* reply(
  turn: Turn,
  text: AsyncIterable<string>,
  tts: SpeechSynthesizer,
  settings: ReplySettings,
  clock: () => number,
): AsyncGenerator<SessionEvent, void, undefined> {
  const { id, ledger, signal } = turn;
  const lead = (settings.leadMs / 1000) * tts.rate;
  for await (const event of abortable(answer(text, tts, settings.answer, signal), signal)) {
    switch (event.type) {
      case 'phrase':
        turn.mark('phrase', clock());
        ledger.beginPhrase(event.text, event.spoken);
        yield { type: 'reply_text', turn: id, text: event.text };
        break;
      case 'speech': {
        const position = ledger.sent;
        const words = ledger.addSpeech(event.samples.length, event.words);
        if (words.length > 0) yield { type: 'reply_words', turn: id, words };
        yield { type: 'speech', turn: id, position, samples: event.samples };
        if (position === 0) {
          turn.mark('audio', clock());
          yield { type: 'metrics', turn: id, metrics: turn.metrics() };
        }
        await turn.room(lead);
        break;
      }
      case 'phrase_end': {
        const words = ledger.endPhrase();
        if (words.length > 0) yield { type: 'reply_words', turn: id, words };
      }
    }
  }
  if (!signal.aborted) yield { type: 'reply_done', turn: id, samples: ledger.sent };
}
