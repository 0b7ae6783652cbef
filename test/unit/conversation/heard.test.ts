import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateWords, HeardLedger } from '../../../src/server/conversation/heard.ts';

const RATE = 16_000;

/** A ledger with one phrase, its words 1,000 samples each, told by the engine. */
function ledgerOf(...phrases: string[]): HeardLedger {
  const ledger = new HeardLedger(RATE);
  for (const text of phrases) {
    ledger.beginPhrase(text, text.trim());
    const words = text
      .trim()
      .split(' ')
      .map((word, i) => ({ text: word, start: i * 1_000, end: (i + 1) * 1_000 }));
    ledger.addSpeech(words.length * 1_000, words);
    ledger.endPhrase();
  }
  return ledger;
}

describe('the heard ledger', () => {
  it('counts a word as heard once half of it was played', () => {
    const ledger = ledgerOf('one two three. ', 'four five.');
    expect(ledger.split()).toEqual({ heard: '', unheard: 'one two three. four five.' });
    ledger.reportPlayed(1_499);
    expect(ledger.split()).toEqual({ heard: 'one', unheard: 'two three. four five.' });
    ledger.reportPlayed(3_600);
    expect(ledger.split()).toEqual({ heard: 'one two three. four', unheard: 'five.' });
    ledger.reportPlayed(5_000);
    expect(ledger.split()).toEqual({ heard: 'one two three. four five.', unheard: '' });
  });

  it('never goes back, and never beyond what was sent', () => {
    const ledger = ledgerOf('one two.');
    ledger.reportPlayed(99_999);
    expect(ledger.played).toBe(2_000);
    ledger.reportPlayed(3);
    expect(ledger.played).toBe(2_000);
  });

  it('places words by their letters when the engine does not tell, and says so only then', () => {
    const ledger = new HeardLedger(RATE);
    ledger.beginPhrase('a bbbbbb. ', 'a bbbbbb.');
    ledger.addSpeech(16_000);
    const words = ledger.endPhrase();
    expect(words.map((word) => word.text)).toEqual(['a', 'bbbbbb.']);
    expect(words[1]!.end).toBe(16_000);
    const told = ledgerOf('one two.');
    expect(told.endPhrase()).toEqual([]);
  });

  it('knows what a phrase would have said when its speech was never finished', () => {
    const ledger = new HeardLedger(RATE);
    const text = 'this sentence goes on for quite a while and is cut';
    ledger.beginPhrase(text, text);
    ledger.addSpeech(RATE);
    ledger.reportPlayed(RATE);
    const { heard, unheard } = ledger.split();
    expect(`${heard} ${unheard}`).toBe(text);
    expect(heard).toMatch(/^this sentence/);
    expect(unheard).toMatch(/is cut$/);
  });

  it('counts words that the engine had not yet told as unheard', () => {
    const ledger = new HeardLedger(RATE);
    ledger.beginPhrase('one two three four.', 'one two three four.');
    ledger.addSpeech(2_000, [
      { text: 'one', start: 0, end: 1_000 },
      { text: 'two', start: 1_000, end: 2_000 },
    ]);
    ledger.reportPlayed(1_000);
    expect(ledger.split()).toEqual({ heard: 'one', unheard: 'two three four.' });
  });

  it('keeps what is shown but not spoken with what was heard before it', () => {
    const ledger = ledgerOf('look at this. ');
    ledger.beginPhrase('```code```', '');
    ledger.endPhrase();
    ledger.reportPlayed(3_000);
    expect(ledger.split()).toEqual({ heard: 'look at this. ```code```', unheard: '' });
  });

  it('loses and repeats no word, wherever it is cut', () => {
    const phrase = fc
      .array(fc.stringMatching(/^[a-z]{1,9}[,.]?$/), { minLength: 1, maxLength: 9 })
      .map((words) => words.join(' '));
    fc.assert(
      fc.property(
        fc.array(phrase, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (phrases, share) => {
          const ledger = ledgerOf(...phrases);
          ledger.reportPlayed(Math.floor(ledger.sent * share));
          const { heard, unheard } = ledger.split();
          expect(`${heard} ${unheard}`.trim()).toBe(phrases.join(' '));
        },
      ),
    );
  });

  it('covers the whole speech with words, in order', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z,. ]{1,60}$/), fc.integer({ min: 1, max: 200_000 }), (spoken, length) => {
        const words = estimateWords(spoken, length);
        let at = 0;
        for (const word of words) {
          expect(word.start).toBe(at);
          expect(word.end).toBeGreaterThanOrEqual(word.start);
          at = word.end;
        }
        if (words.length > 0) expect(at).toBe(length);
      }),
    );
  });
});
