import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readNumber, sayNumber, sayOrdinal } from '../../src/server/engines/builtin/numbers.ts';
import { readSum } from '../../src/server/engines/builtin/sums.ts';
import { toWords } from '../../src/server/engines/builtin/words.ts';

const read = (text: string) => readNumber(toWords(text), 0)?.value;

describe('numbers', () => {
  it('are read as they are said', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.integer({ min: -2_000_000, max: 2_000_000 }), fc.nat(120), fc.nat(999_999_999_999)),
        (n) => {
          expect(read(sayNumber(n))).toBe(n);
        },
      ),
      { numRuns: 2_000 },
    );
  });

  it.each([
    [0, 'zero'],
    [21, 'twenty-one'],
    [105, 'one hundred and five'],
    [1_001, 'one thousand and one'],
    [12_345, 'twelve thousand three hundred and forty-five'],
    [-3.25, 'minus three point two five'],
    [0.1 + 0.2, 'zero point three'],
    [0.00123, 'zero point zero zero one two'],
    [2 ** 64, 'one point eight four times ten to the power of nineteen'],
  ])('%d is said "%s"', (value, said) => {
    expect(sayNumber(value)).toBe(said);
  });

  it.each([
    ['a hundred', 100],
    ['12', 12],
    ['1,250.5', 1250.5],
    ['3 million', 3_000_000],
    ['negative seven', -7],
    ['three point one four', 3.14],
    ['two and a half', 2.5],
    ['twenty', 20],
    ['seven', 7],
    ['nothing', undefined],
  ])('"%s" is read as %s', (text, value) => {
    expect(read(text)).toBe(value);
  });

  it('end where the next one begins', () => {
    expect(readNumber(['one', 'two', 'three'], 0)).toEqual({ value: 1, length: 1 });
    expect(readNumber(['five', 'twenty'], 0)).toEqual({ value: 5, length: 1 });
    expect(readNumber(['twenty', 'five', 'six'], 0)).toEqual({ value: 25, length: 2 });
  });

  it.each([
    [1, 'first'],
    [12, 'twelfth'],
    [20, 'twentieth'],
    [22, 'twenty-second'],
    [31, 'thirty-first'],
  ])('%d in a row is the %s', (n, word) => {
    expect(sayOrdinal(n)).toBe(word);
  });
});

describe('sums', () => {
  it.each([
    ['two plus three times four', 14],
    ['10 - 4 - 3', 3],
    ['7 × 8', 56],
    ['6/4', 1.5],
    ['twenty percent of fifty', 10],
    ['ten plus 50% of 20', 20],
    ['the square root of sixteen', 4],
    ['nine squared', 81],
    ['2^10', 1024],
    ['half of nine', 4.5],
    ['minus five times minus three', 15],
    ['0.1 + 0.2', 0.3],
    ['tree plus for', 7],
    ['one hundred and five divided by five', 21],
    ['three point five plus a half', 4],
  ])('%s is %d', (text, value) => {
    expect(readSum(toWords(text), 0)?.value).toBe(value);
  });

  it('have no answer when divided by zero, nor has the root of a negative number', () => {
    expect(readSum(toWords('5 / 0'), 0)?.impossible).toBe('division by zero');
    expect(readSum(toWords('0 / 0'), 0)?.impossible).toBe('division by zero');
    expect(readSum(toWords('square root of -4'), 0)?.impossible).toBe('root of a negative number');
  });

  it.each(['five', 'plus five', 'hello', ''])('"%s" is none', (text) => {
    expect(readSum(toWords(text), 0)).toBeUndefined();
  });
});
