/** No exact number may have more bits than this; it would take long and nobody wants to hear it. */
const MAX_BITS = 4_096;
/** Longer numbers are also said in short. */
const PLAIN_DIGITS = 15;
const DECIMALS = 10;

/** A number as it can be said: its digits, whether those are all, and a shorter form where they are many. */
export type FormattedQuantity = { digits: string; exact: boolean; approximately?: string };

/** A number of the calculator: an exact fraction as long as that is possible, else a floating-point number. */
export class Quantity {
  readonly #value: { top: bigint; bottom: bigint } | number;

  private constructor(value: { top: bigint; bottom: bigint } | number) {
    this.#value = value;
  }

  /** A floating-point number, which is exact only if it is whole; throws on one that is no number. */
  static of(value: number): Quantity {
    if (Number.isNaN(value)) throw new Error('The result is not a real number.');
    if (!Number.isFinite(value)) throw new Error('The result is too large.');
    return Number.isSafeInteger(value) ? Quantity.fraction(BigInt(value)) : new Quantity(value);
  }

  /** An exact fraction, reduced; throws when its bottom is 0. */
  static fraction(top: bigint, bottom = 1n): Quantity {
    if (bottom === 0n) throw new Error('Division by zero has no result.');
    const sign = bottom < 0n ? -1n : 1n;
    const shared = divisor(top < 0n ? -top : top, bottom * sign);
    const [a, b] = [(sign * top) / shared, (sign * bottom) / shared];
    if (bits(a) > MAX_BITS || bits(b) > MAX_BITS) throw new Error('The result is too large.');
    return new Quantity({ top: a, bottom: b });
  }

  /** A decimal number as written, such as `1.25` or `2e-3`. */
  static parse(text: string): Quantity {
    const [mantissa = '', exponent = '0'] = text.toLowerCase().split('e');
    const [whole = '', decimals = ''] = mantissa.split('.');
    const power = Number(exponent) - decimals.length;
    if (Math.abs(power) > 1_000) throw new Error(`${text} is too large or too small.`);
    const digits = BigInt(whole + decimals);
    return power >= 0
      ? Quantity.fraction(digits * 10n ** BigInt(power))
      : Quantity.fraction(digits, 10n ** BigInt(-power));
  }

  get number(): number {
    if (typeof this.#value === 'number') return this.#value;
    return ratio(this.#value.top, this.#value.bottom);
  }

  /** The number if it is whole and exact. */
  get whole(): bigint | undefined {
    return typeof this.#value === 'object' && this.#value.bottom === 1n ? this.#value.top : undefined;
  }

  get isZero(): boolean {
    return typeof this.#value === 'number' ? this.#value === 0 : this.#value.top === 0n;
  }

  plus(other: Quantity): Quantity {
    return this.#with(
      other,
      (a, b) => a + b,
      (a, b, c, d) => [a * d + c * b, b * d],
    );
  }

  minus(other: Quantity): Quantity {
    return this.#with(
      other,
      (a, b) => a - b,
      (a, b, c, d) => [a * d - c * b, b * d],
    );
  }

  times(other: Quantity): Quantity {
    return this.#with(
      other,
      (a, b) => a * b,
      (a, b, c, d) => [a * c, b * d],
    );
  }

  dividedBy(other: Quantity): Quantity {
    if (other.isZero) throw new Error('Division by zero has no result.');
    return this.#with(
      other,
      (a, b) => a / b,
      (a, b, c, d) => [a * d, b * c],
    );
  }

  /** What is left of a division; its sign is that of the divisor, as in mathematics. */
  modulo(other: Quantity): Quantity {
    if (other.isZero) throw new Error('Division by zero leaves no remainder.');
    return this.#with(
      other,
      (a, b) => a - b * Math.floor(a / b),
      (a, b, c, d) => {
        const [left, right] = [a * d, c * b];
        const rest = left % right;
        return [rest !== 0n && rest < 0n !== right < 0n ? rest + right : rest, b * d];
      },
    );
  }

  power(exponent: Quantity): Quantity {
    const times = exponent.whole;
    if (typeof this.#value === 'object' && times !== undefined) {
      const { top, bottom } = times < 0n ? { top: this.#value.bottom, bottom: this.#value.top } : this.#value;
      const count = times < 0n ? -times : times;
      if (bottom === 0n) throw new Error('Division by zero has no result.');
      const size = BigInt(Math.max(bits(top), bits(bottom)));
      if (size > 1n && count * (size - 1n) > BigInt(MAX_BITS)) throw new Error('The result is too large or too small.');
      // Of 0, 1 and -1 only the parity matters.
      const short = size > 1n ? count : count === 0n ? 0n : 2n - (count % 2n);
      return Quantity.fraction(top ** short, bottom ** short);
    }
    return Quantity.of(this.number ** exponent.number);
  }

  format(): FormattedQuantity {
    if (typeof this.#value === 'number') return { digits: plainFloat(this.#value), exact: false };
    const { top, bottom } = this.#value;
    const [size, sign] = top < 0n ? [-top, '-'] : [top, ''];
    const scale = 10n ** BigInt(DECIMALS);
    const scaled = (2n * size * scale + bottom) / (2n * bottom);
    const exact = scaled * bottom === size * scale;
    // What ten decimals cannot tell from nothing is better said as a power of ten.
    if (!exact && scaled < 10n ** 4n) return { digits: plainFloat(this.number), exact };
    const whole = (scaled / scale).toString();
    const decimals = (scaled % scale).toString().padStart(DECIMALS, '0').replace(/0+$/, '');
    const digits = `${sign}${grouped(whole)}${decimals === '' ? '' : `.${decimals}`}`;
    return whole.length > PLAIN_DIGITS ? { digits, exact, approximately: inShort(sign, whole) } : { digits, exact };
  }

  #with(
    other: Quantity,
    float: (a: number, b: number) => number,
    fraction: (a: bigint, b: bigint, c: bigint, d: bigint) => [bigint, bigint],
  ): Quantity {
    const [a, b] = [this.#value, other.#value];
    if (typeof a === 'number' || typeof b === 'number') return Quantity.of(float(this.number, other.number));
    return Quantity.fraction(...fraction(a.top, a.bottom, b.top, b.bottom));
  }
}

function divisor(a: bigint, b: bigint): bigint {
  let [large, small] = [a, b];
  while (small !== 0n) [large, small] = [small, large % small];
  return large === 0n ? 1n : large;
}

const bits = (value: bigint): number => value.toString(2).replace('-', '').length;

/** Both are shortened together, so that neither overflows a floating-point number. */
function ratio(top: bigint, bottom: bigint): number {
  const spare = BigInt(Math.max(0, Math.max(bits(top), bits(bottom)) - 1_000));
  return Number(top >> spare) / Number(bottom >> spare || 1n);
}

const grouped = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, ',');

function inShort(sign: string, whole: string): string {
  const [first, rest] = (Number(whole.slice(0, 6)) / 1e5).toFixed(3).split('.');
  return `${sign}${first}.${rest} times ten to the power of ${whole.length - 1}`;
}

function plainFloat(value: number): string {
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e15 || size < 1e-6)) {
    const [mantissa, exponent] = value.toExponential(6).split('e');
    return `${Number(mantissa)} times ten to the power of ${Number(exponent)}`;
  }
  const [whole, decimals] = Number(value.toPrecision(12))
    .toFixed(DECIMALS)
    .replace(/\.?0+$/, '')
    .split('.');
  return `${grouped(whole!.replace('-', '')).replace(/^/, value < 0 ? '-' : '')}${decimals ? `.${decimals}` : ''}`;
}
