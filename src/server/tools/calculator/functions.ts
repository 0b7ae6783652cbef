import { Quantity } from './quantity.ts';

/** Names of numbers. */
export const CONSTANTS: Record<string, number> = { pi: Math.PI, π: Math.PI, e: Math.E, tau: 2 * Math.PI };

const float =
  (compute: (value: number) => number) =>
  (value: Quantity): Quantity =>
    Quantity.of(compute(value.number));

/** Functions of one number; they throw a sentence where they have no value. */
export const FUNCTIONS: Record<string, (value: Quantity) => Quantity> = {
  sqrt: squareRoot,
  cbrt: float(Math.cbrt),
  abs: (value) => (value.number < 0 ? Quantity.of(0).minus(value) : value),
  floor: float(Math.floor),
  ceil: float(Math.ceil),
  exp: float(Math.exp),
  ln: float(positive(Math.log)),
  log: float(positive(Math.log10)),
  log10: float(positive(Math.log10)),
  log2: float(positive(Math.log2)),
  sin: float(snapped(Math.sin)),
  cos: float(snapped(Math.cos)),
  tan: float(snapped(Math.tan)),
  asin: float(Math.asin),
  acos: float(Math.acos),
  atan: float(Math.atan),
  factorial,
};

/** Functions of several numbers. */
export const LISTS: Record<string, (values: readonly Quantity[]) => Quantity> = {
  min: (values) => values.reduce((least, value) => (value.number < least.number ? value : least)),
  max: (values) => values.reduce((most, value) => (value.number > most.number ? value : most)),
  round: ([value, places = Quantity.of(0)]) => rounded(value!, places),
};

function squareRoot(value: Quantity): Quantity {
  if (value.number < 0) throw new Error('The square root of a negative number is not a real number.');
  const whole = value.whole;
  if (whole !== undefined) {
    const root = wholeRoot(whole);
    if (root * root === whole) return Quantity.fraction(root);
  }
  return Quantity.of(Math.sqrt(value.number));
}

/** Newton's method on whole numbers. */
function wholeRoot(value: bigint): bigint {
  if (value < 2n) return value;
  let root = 1n << BigInt(Math.ceil(value.toString(2).length / 2));
  for (;;) {
    const next = (root + value / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** The product of the whole numbers up to this one. */
export function factorial(value: Quantity): Quantity {
  const count = value.whole;
  if (count === undefined || count < 0n) throw new Error('A factorial needs a whole number that is not negative.');
  if (count > 400n) throw new Error('The result is too large.');
  let product = 1n;
  for (let i = 2n; i <= count; i++) product *= i;
  return Quantity.fraction(product);
}

function rounded(value: Quantity, places: Quantity): Quantity {
  const count = places.whole;
  if (count === undefined || count < 0n || count > 15n) throw new Error('One can round to 0 to 15 decimals.');
  const scale = Quantity.fraction(10n ** count);
  const scaled = value.times(scale);
  const half = Quantity.fraction(1n, 2n);
  const away = scaled.number < 0 ? scaled.minus(half) : scaled.plus(half);
  return away.minus(remainderToZero(away)).dividedBy(scale);
}

/** What has to be taken off for the whole number nearer to zero. */
function remainderToZero(value: Quantity): Quantity {
  const one = Quantity.of(1);
  return value.number < 0
    ? value.modulo(one).minus(value.modulo(one).isZero ? Quantity.of(0) : one)
    : value.modulo(one);
}

function positive(log: (value: number) => number): (value: number) => number {
  return (value) => {
    if (value <= 0) throw new Error('A logarithm needs a number above zero.');
    return log(value);
  };
}

/** The sine of pi is 0, whatever the floating-point number pi is. */
function snapped(compute: (value: number) => number): (value: number) => number {
  return (value) => {
    const result = compute(value);
    return Math.abs(result) < 1e-15 ? 0 : result;
  };
}
