import { nearestEven } from './nearest-even.ts';

/** Where each place of a resized axis lies between two of the original, and how much of the second it takes, of `WHOLE`. */
export type LinearSteps = { readonly near: Int32Array; readonly far: Int32Array; readonly share: Int32Array };

/** OpenCV counts the shares of 8-bit pictures in 11 bits. */
export const WHOLE = 2048;

/** The steps of OpenCV's INTER_LINEAR from `from` pixels to `to`; what lies beyond an edge is the edge. */
export function linearSteps(from: number, to: number): LinearSteps {
  const near = new Int32Array(to);
  const far = new Int32Array(to);
  const share = new Int32Array(to);
  const scale = from / to;
  for (let i = 0; i < to; i++) {
    // Places are 32-bit numbers there, which decides some roundings.
    const place = Math.fround((i + 0.5) * scale - 0.5);
    const below = Math.floor(place);
    near[i] = Math.min(from - 1, Math.max(0, below));
    far[i] = Math.min(from - 1, Math.max(0, below + 1));
    share[i] = nearestEven(Math.fround(place - below) * WHOLE);
  }
  return { near, far, share };
}

/** Two rows of an RGB picture with some of its columns resized, 3 numbers of 15 bits for each. */
export type LinearRows = {
  above: Uint16Array;
  below: Uint16Array;
  /** Puts rows `near` and `far` of the picture there; each is computed once where both only grow. */
  hold(near: number, far: number): void;
};

/** Rows of a picture `width` pixels wide whose columns `first` to `end` - 1 are resized by `steps`. */
export function linearRows(
  rgb: Uint8Array,
  width: number,
  { near, far, share }: LinearSteps,
  first: number,
  end: number,
): LinearRows {
  let heldAbove = -1;
  let heldBelow = -1;
  const stretch = (row: number, out: Uint16Array) => {
    const start = 3 * width * row;
    for (let x = first, to = 0; x < end; x++) {
      let a = start + 3 * near[x]!;
      let b = start + 3 * far[x]!;
      const second = share[x]!;
      const one = WHOLE - second;
      // The four bits that 16-bit arithmetic has no room for are dropped here, as OpenCV drops them.
      out[to++] = (one * rgb[a++]! + second * rgb[b++]!) >> 4;
      out[to++] = (one * rgb[a++]! + second * rgb[b++]!) >> 4;
      out[to++] = (one * rgb[a]! + second * rgb[b]!) >> 4;
    }
  };
  const rows: LinearRows = {
    above: new Uint16Array(3 * (end - first)),
    below: new Uint16Array(3 * (end - first)),
    hold(nearRow, farRow) {
      if (heldAbove !== nearRow && heldBelow === nearRow) {
        [rows.above, rows.below] = [rows.below, rows.above];
        [heldAbove, heldBelow] = [heldBelow, heldAbove];
      }
      if (heldAbove !== nearRow) stretch((heldAbove = nearRow), rows.above);
      if (heldBelow !== farRow) stretch((heldBelow = farRow), rows.below);
    },
  };
  return rows;
}
