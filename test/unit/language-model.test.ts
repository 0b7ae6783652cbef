import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nGramModel } from '../../src/server/engines/pocketsphinx/n-gram-model.ts';

type Model = { counts: number[]; grams: Map<string, { log: number; backoff: number }>; words: string[] };

/** Reads the ARPA format again, by its definition. */
function read(arpa: string): Model {
  const grams: Model['grams'] = new Map();
  const counts = [...arpa.matchAll(/^ngram \d=(\d+)$/gm)].map((match) => Number(match[1]));
  for (const [, log, text, backoff] of arpa.matchAll(/^(-?[\d.]+)\t([^\t\n]+)(?:\t(-?[\d.]+))?$/gm)) {
    grams.set(text!, { log: Number(log), backoff: Number(backoff ?? 0) });
  }
  const words = [...grams.keys()].filter((text) => !text.includes(' ') && text !== '<s>');
  return { counts, grams, words };
}

/** P(word | history) with the back-off rule of the format. */
function probability({ grams }: Model, history: readonly string[], word: string): number {
  let log = 0;
  for (let from = 0; from <= history.length; from++) {
    const rest = history.slice(from);
    const found = grams.get([...rest, word].join(' '));
    if (found) return 10 ** (log + found.log);
    log += grams.get(rest.join(' '))?.backoff ?? 0;
  }
  return 0;
}

const EXAMPLE = ['what time is it', 'what day is it', 'tell me the time', 'what time is it', 'yes'];

describe('the n-gram model', () => {
  it('gives every history probabilities that add up to one', () => {
    const word = fc.constantFrom('a', 'b', 'c', 'd');
    const sentence = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join(' '));
    fc.assert(
      fc.property(fc.array(sentence, { minLength: 1, maxLength: 12 }), (sentences) => {
        const model = read(nGramModel(sentences));
        const histories = [...model.grams.keys()].filter(
          (text) => !text.includes('</s>') && text.split(' ').length < 3,
        );
        for (const history of [[], ...histories.map((text) => text.split(' '))]) {
          const sum = model.words.reduce((total, next) => total + probability(model, history, next), 0);
          expect(sum).toBeCloseTo(1, 2);
        }
      }),
    );
  });

  it('counts its lines as the format wants', () => {
    const model = read(nGramModel(EXAMPLE));
    for (const order of [1, 2, 3]) {
      const lines = [...model.grams.keys()].filter((text) => text.split(' ').length === order);
      expect(model.counts[order - 1]).toBe(lines.length);
    }
  });

  it('expects what was said more often, and still allows what never was', () => {
    const model = read(nGramModel(EXAMPLE));
    const time = probability(model, ['<s>', 'what'], 'time');
    expect(time).toBeGreaterThan(probability(model, ['<s>', 'what'], 'day'));
    expect(probability(model, ['<s>', 'what'], 'yes')).toBeGreaterThan(0);
    // c = 2 of 3 after "<s> what" with 2 followers; after "what" the same; "time" is 3 of 22 words in all (each end is one), 10 different.
    const one = (3 + 10 / 10) / (22 + 10);
    const two = (2 + 2 * one) / (3 + 2);
    expect(time).toBeCloseTo((2 + 2 * two) / (3 + 2), 3);
  });

  it('refuses to be made of nothing', () => {
    expect(() => nGramModel(['', '  '])).toThrow('at least one sentence');
  });
});
