import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/server/tools/calculator/expression.ts';

/** The digits of the result, `~` before what is rounded. */
function value(expression: string): string {
  const { digits, exact } = evaluate(expression).format();
  return `${exact ? '' : '~'}${digits}`;
}

describe('the calculator', () => {
  it.each([
    ['1 + 2 * 3', '7'],
    ['(1 + 2) * 3', '9'],
    ['2 ^ 3 ^ 2', '512'],
    ['-2 ^ 2', '-4'],
    ['2 ^ -1', '0.5'],
    ['2 ** 10', '1,024'],
    ['7 - 2 - 1', '4'],
    ['100 / 10 / 5', '2'],
    ['0.1 + 0.2', '0.3'],
    ['1/3 + 1/3 + 1/3', '1'],
    ['1/3', '~0.3333333333'],
    ['2/3', '~0.6666666667'],
    ['10 % 3', '1'],
    ['-7 % 3', '2'],
    ['10 mod 4', '2'],
    ['15% of 80', '12'],
    ['15 percent of 80', '12'],
    ['200 + 10%', '220'],
    ['200 - 10%', '180'],
    ['50% * 8', '4'],
    ['10% + 5%', '0.15'],
    ['1,000,000 * 3', '3,000,000'],
    ['max(1,000)', '1'],
    ['max(3, 7, 5) - min(2, 4)', '5'],
    ['sqrt(144)', '12'],
    ['√16', '4'],
    ['sqrt 2', '~1.4142135624'],
    ['sqrt(2)^2', '~2'],
    ['3 × 4 ÷ 2 − 1', '5'],
    ['3 x 4', '12'],
    ['2(3 + 4)', '14'],
    ['2 pi', '~6.2831853072'],
    ['5!', '120'],
    ['3² + 4²', '25'],
    ['round(2.5)', '3'],
    ['round(-2.5)', '-3'],
    ['round(3.14159, 2)', '3.14'],
    ['floor(-1.5) + ceil(1.2)', '0'],
    ['log(1000) + ln(e) + log2(8)', '7'],
    ['sin(pi)', '0'],
    ['1.5e3 + 2E-1', '1,500.2'],
    ['12 * 12 =', '144'],
    ['0 ^ 0', '1'],
    ['(-1) ^ 1000001', '-1'],
    ['1 / 10^8', '0.00000001'],
  ])('%s is %s', (expression, expected) => {
    expect(value(expression)).toBe(expected);
  });

  it('says long numbers in short as well', () => {
    expect(evaluate('2^100').format()).toEqual({
      digits: '1,267,650,600,228,229,401,496,703,205,376',
      exact: true,
      approximately: '1.268 times ten to the power of 30',
    });
    expect(value('1/3/10^9')).toBe('~3.333333 times ten to the power of -10');
  });

  it.each([
    ['1 / 0', 'Division by zero'],
    ['1 % (2 - 2)', 'zero'],
    ['0 ^ -1', 'Division by zero'],
    ['sqrt(-1)', 'negative'],
    ['ln(0)', 'above zero'],
    ['', 'nothing'],
    ['1 +', 'missing'],
    ['(1 + 2', 'parenthesis'],
    ['1 2', 'not expected'],
    ['1 $ 2', '"$" is not known'],
    ['process.exit(1)', '"." is not known'],
    ['exit(1)', '"exit" is not known'],
    ['constructor', '"constructor" is not known'],
    ['__proto__', 'not known'],
    ['9^9^9^9', 'too large'],
    ['999!', 'too large'],
    ['exp(1000)', 'too large'],
    ['1e99999', 'too large'],
    ['(-8)^(1/3)', 'not a real number'],
    ['('.repeat(400), 'deep'],
    ['-'.repeat(400), 'deep'],
  ])('%s: a sentence that names the problem', (expression, problem) => {
    expect(() => evaluate(expression)).toThrow(problem);
    expect(() => evaluate(expression)).toThrow(/\.$/);
  });

  it('agrees with JavaScript where that is exact', () => {
    const number = fc.integer({ min: -99, max: 99 }).map((n) => (n < 0 ? `(${n})` : `${n}`));
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { depthSize: 'small' },
        number,
        fc
          .tuple(tie('expression'), fc.constantFrom('+', '-', '*'), tie('expression'))
          .map(([a, sign, b]) => `(${a} ${sign} ${b})`),
      ),
    }));
    fc.assert(
      fc.property(expression, (text) => {
        // biome-ignore lint/security/noGlobalEval: the test's own text, to compare with
        const expected = globalThis.eval(text) as number;
        fc.pre(Number.isSafeInteger(expected));
        expect(evaluate(text).number).toBe(expected === 0 ? 0 : expected);
      }),
    );
  });

  it('never fails but with a sentence, and never takes long, whatever is asked', () => {
    const piece = fc.constantFrom(...'0123456789.+-*/%^!(), e'.split(''), 'sqrt', 'max', 'pi', '99', 'of', '1e9');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          evaluate(pieces.join('')).format();
        } catch (error) {
          expect((error as Error).message).toMatch(/\.$/);
          expect(error).not.toBeInstanceOf(RangeError);
          expect(error).not.toBeInstanceOf(TypeError);
        }
      }),
      { numRuns: 3_000 },
    );
  });
});
