import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { grammar } from '../../src/server/engines/builtin/grammar.ts';
import { seeded } from '../../src/server/engines/builtin/random.ts';
import { sampleSentences, sentences } from '../../src/server/engines/builtin/sentences.ts';
import { understand } from '../../src/server/engines/builtin/understand.ts';

const all = [...sentences()];

describe('the sentences the recogniser learns', () => {
  it('are thousands, in plain lower-case words, from a small vocabulary', () => {
    const vocabulary = new Set(all.flatMap((sentence) => sentence.split(' ')));
    expect(new Set(all).size).toBeGreaterThan(10_000);
    expect(vocabulary.size).toBeGreaterThan(800);
    expect(vocabulary.size).toBeLessThan(1_500);
    expect([...vocabulary].filter((word) => !/^[a-z]+('[a-z]+)?$/.test(word))).toEqual([]);
  });

  it('are the same each time', () => {
    expect([...sentences()]).toEqual(all);
    expect(sampleSentences(50, 7)).toEqual(sampleSentences(50, 7));
    expect(sampleSentences(50, 7)).not.toEqual(sampleSentences(50, 8));
    expect(new Set(sampleSentences(200, 7)).size).toBe(200);
  });

  it('are all understood word for word, and reach every intent', () => {
    const some = [...new Set(all)].filter((_, i) => i % 7 === 0);
    const meant = some.map((sentence) => understand(sentence));
    expect(some.filter((_, i) => meant[i]?.distance !== 0)).toEqual([]);
    const reached = new Set(meant.map((one) => one?.intent));
    expect(Object.keys(grammar).filter((intent) => !reached.has(intent as keyof typeof grammar))).toEqual([]);
  });
});

describe('what was recognised imperfectly', () => {
  it.each([
    ['what tine is it', 'time'],
    ['time', 'time'],
    ['um what what time is it now', 'time'],
    ['whats the date', 'date'],
    ['count two twenty', 'count'],
    ['tell a storey', 'story'],
    ['could you please maybe tell a very long story about dragons', 'story'],
    ['which engines you using', 'engines'],
    ['how fast was last turn', 'speed'],
    ['who are you please', 'whoAreYou'],
    ['i feel blue about the whole thing', 'think'],
    ['my sister bought a yellow submarine', 'family'],
    ['well my name is zoltan', 'myName'],
    ['you are an idiot', 'youAre'],
  ])('"%s" is still %s', (text, intent) => {
    expect(understand(text)?.intent).toBe(intent);
  });

  it('keeps its meaning in nine of ten cases when one small word is missing', () => {
    const random = seeded(5);
    const small = new Set(['the', 'a', 'is', 'are', 'do', 'you', 'to', 'it', 'my', 'of', 'me']);
    const cases = sampleSentences(400, 11).flatMap((sentence) => {
      const words = sentence.split(' ');
      const at = words.findIndex((word) => small.has(word));
      return words.length > 3 && at >= 0 && random() < 0.7
        ? [{ sentence, hurt: words.toSpliced(at, 1).join(' ') }]
        : [];
    });
    const kept = cases.filter(({ sentence, hurt }) => understand(hurt)?.intent === understand(sentence)?.intent);
    expect(cases.length).toBeGreaterThan(80);
    expect(kept.length / cases.length).toBeGreaterThan(0.9);
  });

  it.each([
    'the purple elephants discuss economics in parliament',
    'mister quilter is the apostle of the middle classes and we are glad to welcome his gospel',
    'he was delighted to find that the count had left',
    '',
    '...',
  ])('"%s" means nothing', (text) => {
    expect(understand(text)).toBeUndefined();
  });

  it('never throws, whatever comes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 200 }), (text) => void understand(text)),
      { numRuns: 200 },
    );
  });
});
