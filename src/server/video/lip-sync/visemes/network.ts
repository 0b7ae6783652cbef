import { BANDS } from './features.ts';
import { LAYERS } from './weights.ts';

/** Which rows the network sees, counted from the one that it judges; as in scripts/train-visemes.py. */
const OFFSETS = [-8, -6, -4, -3, -2, -1, 0, 1, 2, 3];

/** How many rows of features the network must know before the one that it judges, and after it. */
export const ROWS_BEFORE = -Math.min(...OFFSETS);
export const ROWS_AFTER = Math.max(...OFFSETS);

type Layer = { readonly bias: Float32Array; readonly weights: Float32Array };

/** A small network that says which viseme is being spoken. Its answers are chances, in the order of `VISEMES`. */
export class VisemeNetwork {
  readonly #layers: readonly Layer[] = LAYERS.map(({ scale, bias, weights }) => {
    const bytes = Buffer.from(weights.join(''), 'base64');
    return {
      bias: Float32Array.from(bias),
      weights: Float32Array.from(new Int8Array(bytes), (value) => value * scale),
    };
  });
  readonly #values = [
    new Float32Array(BANDS * OFFSETS.length),
    ...this.#layers.map(({ bias }) => new Float32Array(bias.length)),
  ];

  /** `row(offset)` are the features of the moment judged (offset 0) and around it. The answer is valid until the next call. */
  judge(row: (offset: number) => Float32Array): Float32Array {
    for (const [i, offset] of OFFSETS.entries()) this.#values[0]!.set(row(offset), i * BANDS);
    for (const [i, layer] of this.#layers.entries()) {
      forward(layer, this.#values[i]!, this.#values[i + 1]!, i < this.#layers.length - 1);
    }
    const chances = this.#values.at(-1)!;
    softmax(chances);
    return chances;
  }
}

/** Inputs come in multiples of four, and four sums at a time keep the processor busier than one. */
function forward({ bias, weights }: Layer, input: Float32Array, output: Float32Array, rectified: boolean): void {
  const length = input.length;
  for (let to = 0, row = 0; to < output.length; to++, row += length) {
    let [a, b, c, d] = [bias[to]!, 0, 0, 0];
    for (let i = 0; i < length; i += 4) {
      a += input[i]! * weights[row + i]!;
      b += input[i + 1]! * weights[row + i + 1]!;
      c += input[i + 2]! * weights[row + i + 2]!;
      d += input[i + 3]! * weights[row + i + 3]!;
    }
    const sum = a + b + c + d;
    output[to] = rectified ? Math.max(0, sum) : sum;
  }
}

function softmax(values: Float32Array): void {
  const most = values.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] = Math.exp(values[i]! - most);
  for (let i = 0; i < values.length; i++) values[i] = values[i]! / sum;
}
