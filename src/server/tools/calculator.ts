import { z } from 'zod';
import { evaluate } from './calculator/expression.ts';
import type { Quantity } from './calculator/quantity.ts';
import type { Tool } from './tool.ts';

const args = z.object({
  expression: z
    .string({ error: 'must be text' })
    .max(200)
    .describe('Such as "(3 + 4) * 2^10", "15% of 80" or "sqrt(2)". Angles are in radians.'),
});

/** Exact sums; a mistake in the expression is a sentence. */
export const calculator: Tool<typeof args> = {
  name: 'calculator',
  description:
    'Calculates exactly: + - * / % ^, parentheses, percent, sqrt, factorials, logarithms, sin, cos, tan, min, max, round, pi, e. Use it for every sum that is not trivial.',
  args,
  async run({ expression }) {
    let value: Quantity;
    try {
      value = evaluate(expression);
    } catch (error) {
      return `${expression.trim()} cannot be calculated: ${(error as Error).message}`;
    }
    const { digits, exact, approximately } = value.format();
    const about = approximately === undefined ? '' : `, about ${approximately}`;
    return `${expression.trim()} ${exact ? '=' : 'is about'} ${digits}${about}`;
  },
};
