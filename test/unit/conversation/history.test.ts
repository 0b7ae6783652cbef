import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HeardLedger } from '../../../src/server/conversation/heard.ts';
import { History } from '../../../src/server/conversation/history.ts';

const RATE = 1_000;

function reply(id: number, text: string, cut = false) {
  const ledger = new HeardLedger(RATE);
  ledger.beginPhrase(text, text);
  const words = text.split(' ').map((word, i) => ({ text: word, start: i * 100, end: (i + 1) * 100 }));
  ledger.addSpeech(words.length * 100, words);
  ledger.endPhrase();
  if (!cut) ledger.reportPlayed(words.length * 100);
  return { id, ledger, cut, toolRounds: [] };
}

/** A history of that many turns, and what a chat model was sent in each. */
function turns(count: number, limit: number, cut: (turn: number) => boolean = () => false) {
  const history = new History();
  const sent = [];
  for (let turn = 1; turn <= count; turn++) {
    history.addUser(turn, `question ${turn}`, false);
    sent.push(history.messages(limit));
    history.addReply(reply(turn, `answer ${turn}`, cut(turn)));
  }
  return sent;
}

describe('what a chat model is sent of the history', () => {
  it('is all of it while it is short', () => {
    expect(turns(3, 40).at(-1)).toEqual([
      { role: 'user', content: 'question 1' },
      { role: 'assistant', content: 'answer 1' },
      { role: 'user', content: 'question 2' },
      { role: 'assistant', content: 'answer 2' },
      { role: 'user', content: 'question 3' },
    ]);
  });

  it('begins with the same message for many turns when it is long', () => {
    const sent = turns(100, 20);
    const moves = sent.filter((messages, i) => i > 0 && messages[0]!.content !== sent[i - 1]![0]!.content).length;
    expect(moves).toBeGreaterThan(3);
    // Each time it moves by about ten messages, five turns.
    expect(moves).toBeLessThanOrEqual(20);
  });

  it('is never more than the limit, ends with the question, begins with a user, and leaves nothing out in between', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.array(fc.boolean(), { maxLength: 60 }), (limit, cuts) => {
        turns(cuts.length, limit, (turn) => cuts[turn - 1]!).forEach((messages, i) => {
          expect(messages.length).toBeLessThanOrEqual(limit);
          expect(messages[0]!.role).toBe('user');
          expect(messages.at(-1)!.content).toBe(`question ${i + 1}`);
          const asked = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
          const first = i + 2 - asked.length;
          expect(asked).toEqual(asked.map((_, at) => `question ${first + at}`));
          if (i + 1 >= limit && limit > 2) expect(messages.length).toBeGreaterThanOrEqual(Math.floor(limit / 2) - 1);
        });
      }),
    );
  });

  it('goes on beginning with the same message for many turns when the oldest are forgotten', () => {
    const sent = turns(1_100, 20).slice(-100);
    const moves = sent.filter((messages, i) => i > 0 && messages[0]!.content !== sent[i - 1]![0]!.content).length;
    expect(moves).toBeLessThanOrEqual(20);
  });
});
