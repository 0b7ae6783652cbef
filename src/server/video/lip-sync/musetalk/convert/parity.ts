import type { Tensors, Values } from '../process/tensors.ts';
import type { Difference } from './converted.ts';

/** The most that painted faces may differ, in levels: 16-bit numbers and another device's order of sums make less than this. */
const FACES_MAY_DIFFER: Difference = { mean: 1, max: 16 };
/** The most that other numbers may differ on the average, as a share of their spread, and classes, as a share of the pixels. */
const NUMBERS_MAY_DIFFER = 0.02;

/** How far two pictures lie apart. */
export function difference(one: ArrayLike<number>, other: ArrayLike<number>): Difference {
  let [sum, max] = [0, 0];
  for (let i = 0; i < other.length; i++) {
    const distance = Math.abs(one[i]! - other[i]!);
    // Math.max keeps what is not a number: it must not pass for small.
    max = Math.max(max, distance);
    sum += distance;
  }
  return { mean: sum / other.length, max };
}

/**
 * Why a network's outputs cannot be trusted, given what they should be; undefined where they agree. Pictures of one colour are
 * refused, for numbers too large for 16 bits make such.
 */
export function problemOf(actual: Tensors, expected: Tensors): string | undefined {
  for (const [name, should] of Object.entries(expected)) {
    const is = actual[name];
    if (is?.data.length !== should.data.length) return `it gave no ${name} of the right size`;
    const problem = name === 'faces' ? problemOfFaces(is, should) : problemOfNumbers(is, should);
    if (problem) return problem;
  }
  return undefined;
}

function problemOfFaces(is: Values, should: Values): string | undefined {
  if (isPlain(is.data)) return 'it painted a face of one colour';
  const { mean, max } = difference(is.data, should.data);
  return mean <= FACES_MAY_DIFFER.mean && max <= FACES_MAY_DIFFER.max
    ? undefined
    : `what it painted is off by ${mean.toFixed(2)} levels on the average and ${max} at most`;
}

function problemOfNumbers(is: Values, should: Values): string | undefined {
  if (!is.data.every(Number.isFinite)) return 'its results are no numbers';
  const off =
    should.data instanceof Uint8Array
      ? should.data.reduce((count, value, i) => count + Number(value !== is.data[i]), 0) / should.data.length
      : difference(is.data, should.data).mean / (spread(should.data) || 1);
  return off <= NUMBERS_MAY_DIFFER ? undefined : `its results are off by ${(100 * off).toFixed(1)} %`;
}

const isPlain = (data: Values['data']): boolean => data.every((value) => value === data[0]);

function spread(data: Float32Array): number {
  const mean = data.reduce((sum, value) => sum + value, 0) / data.length;
  return Math.sqrt(data.reduce((sum, value) => sum + (value - mean) ** 2, 0) / data.length);
}
