/** Ways to damage a file. */
export const MALFORMATIONS = ['flipped bits', 'cut off', 'spliced', 'lying numbers', 'lying words', 'doubled'] as const;
export type Malformation = (typeof MALFORMATIONS)[number];

const LIES = [
  0n,
  1n,
  2n ** 15n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 33n,
  2n ** 53n,
  2n ** 63n,
  2n ** 64n - 1n,
];
const WORDS = ['0', '-1', '1.5', '1e400', '99999999999999999999', '4294967295', '9007199254740993', '""', '[]', 'null'];

/** A copy of a file's bytes, damaged at places that `random` (0 to 1) picks; `other` is a file of another kind to splice with. */
export function malformed(bytes: Buffer, other: Buffer, how: Malformation, random: () => number): Buffer {
  const below = (count: number) => Math.floor(random() * count);
  const copy = Buffer.from(bytes);
  switch (how) {
    case 'flipped bits':
      for (let left = 1 + below(8); left > 0; left--) {
        const at = below(copy.length);
        copy[at] = copy[at]! ^ (1 << below(8));
      }
      return copy;
    case 'cut off':
      return copy.subarray(0, below(copy.length));
    case 'spliced': {
      const middle = other.subarray(below(other.length), below(other.length));
      return Buffer.concat([copy.subarray(0, below(copy.length)), middle, copy.subarray(below(copy.length))]);
    }
    case 'lying numbers':
      for (let left = 1 + below(3); left > 0; left--) {
        const width = 2 ** below(4);
        const lie = random() < 0.7 ? LIES[below(LIES.length)]! : BigInt(below(copy.length * 2));
        const number = Buffer.alloc(8);
        number.writeBigUInt64LE(BigInt.asUintN(64, lie));
        number.copy(copy, below(Math.max(1, copy.length - width)), 0, width);
      }
      return copy;
    case 'lying words': {
      // A number of a JSON header, or what looks like one elsewhere; the header's own length stays right every other time.
      const text = copy.toString('latin1');
      const numbers = [...text.matchAll(/\d+/g)];
      if (numbers.length === 0) return copy;
      const { index, 0: word } = numbers[below(numbers.length)]!;
      const lie = Buffer.from(WORDS[below(WORDS.length)]!);
      const told = Buffer.concat([copy.subarray(0, index), lie, copy.subarray(index + word.length)]);
      if (random() < 0.5 && index >= 8) {
        told.writeBigUInt64LE(BigInt.asUintN(64, told.readBigUInt64LE(0) + BigInt(lie.length - word.length)));
      }
      return told;
    }
    case 'doubled': {
      const [from, to] = [below(copy.length), below(copy.length)].sort((a, b) => a - b) as [number, number];
      return Buffer.concat([copy.subarray(0, to), copy.subarray(from)]);
    }
  }
}
