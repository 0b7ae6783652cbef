import type { InferenceSession } from 'onnxruntime-node';
import { OnnxGraph, onnxModel } from '../../../../src/server/onnx/graph.ts';
import type { Picture, Point } from '../../../../src/server/video/contracts.ts';
import {
  type MuseTalkNetworks,
  POSE_HEIGHT,
  POSE_POINTS,
  POSE_WIDTH,
} from '../../../../src/server/video/lip-sync/musetalk/networks.ts';

/** Pairs of the 68 points that a mirror exchanges, the left one in the picture first; all others lie in the middle. */
const ROWS = [
  [0, 16],
  [17, 26],
  [31, 35],
  [48, 54],
  [55, 59],
  [60, 64],
  [65, 67],
] as const;
const EYES = [
  [36, 45],
  [37, 44],
  [38, 43],
  [39, 42],
  [40, 47],
  [41, 46],
] as const;
/** Of these rows the first point lies right: they are counted on along the lower edge of the lips. */
const BACKWARDS = new Set([55, 65]);

const PAIRS: readonly (readonly [number, number])[] = [
  ...ROWS.flatMap(([first, last]) => {
    const pairs: [number, number][] = [];
    for (let i = 0; first + i < last - i; i++) {
      pairs.push(BACKWARDS.has(first) ? [last - i, first + i] : [first + i, last - i]);
    }
    return pairs;
  }),
  ...EYES,
];

const MEANS = [123.675, 116.28, 103.53];
const DEVIATIONS = [58.395, 57.12, 57.375];
const FACE = 23;

type Side = 'left' | 'right' | 'middle';

/** The colour by which the network knows each of the 68 points; two that a mirror exchanges have one, and are told apart by side. */
function markOf(point: number): { readonly colour: readonly [number, number, number]; readonly side: Side } {
  const pair = PAIRS.findIndex((both) => both.includes(point));
  const singles = Array.from({ length: 68 }, (_, i) => i).filter((i) => !PAIRS.some((both) => both.includes(i)));
  const nth = pair < 0 ? PAIRS.length + singles.indexOf(point) : pair;
  const colour = [75 + 60 * (nth % 4), 75 + 60 * (Math.floor(nth / 4) % 4), 75 + 60 * Math.floor(nth / 16)] as const;
  if (pair < 0) return { colour, side: 'middle' };
  return { colour, side: PAIRS[pair]![0] === point ? 'left' : 'right' };
}

/** A black picture with a square of 2 · `reach` + 1 pixels at each of 68 points, in that point's colour. */
export function markedPicture(width: number, height: number, points: readonly Point[], reach: number): Picture {
  const rgb = new Uint8Array(3 * width * height);
  for (const [i, { x, y }] of points.entries()) {
    const { colour } = markOf(i);
    for (let row = y - reach; row <= y + reach; row++) {
      for (let column = x - reach; column <= x + reach; column++) {
        if (row < 0 || row >= height || column < 0 || column >= width) continue;
        rgb.set(colour, 3 * (row * width + column));
      }
    }
  }
  return { width, height, rgb };
}

/**
 * A network with the pose network's inputs and outputs that sees points by their colours, and whether they are the left or right
 * one of two by their place: it treats a mirror image as a trained one does. Points that are not there score below nothing.
 */
export async function openMarkFinder(): Promise<Pick<MuseTalkNetworks, 'pose'> & AsyncDisposable> {
  const ort = await import('onnxruntime-node');
  const session: InferenceSession = await ort.InferenceSession.create(onnxModel(markGraph()), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  return {
    async pose(picture, signal) {
      signal.throwIfAborted();
      const input = new ort.Tensor('float32', picture, [1, 3, POSE_HEIGHT, POSE_WIDTH]);
      const { x, y } = await session.run({ input });
      return { x: x!.data as Float32Array, y: y!.data as Float32Array };
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

/** Score: 1 less the squared distance of colours, and a little for lying on the point's side. */
function markGraph(): OnnxGraph {
  const graph = new OnnxGraph();
  const input = graph.input('input', 'f32', [1, 3, POSE_HEIGHT, POSE_WIDTH]);
  const weights: number[] = [];
  const bias: number[] = [];
  const slope: number[] = [];
  for (let point = 0; point < POSE_POINTS; point++) {
    const isFace = point >= FACE && point < FACE + 68;
    const { colour, side } = markOf(isFace ? point - FACE : 0);
    const seen = colour.map((value, c) => (value - MEANS[c]!) / DEVIATIONS[c]!);
    weights.push(...seen.map((value) => 2 * value), -1, -1, -1);
    bias.push(1 - seen.reduce((sum, value) => sum + value * value, 0) - (isFace ? 0 : 100));
    slope.push({ left: -0.3, right: 0.3, middle: 0 }[side] / POSE_WIDTH);
  }
  const ints = (...values: number[]) => ({ ints: values });
  const weight = graph.constant({ type: 'f32', dims: [POSE_POINTS, 6, 1, 1], data: weights });
  const offset = graph.constant({ type: 'f32', dims: [POSE_POINTS], data: bias });
  const squares = graph.node('Mul', [input, input]);
  const both = graph.node('Concat', [input, squares], { attributes: { axis: { int: 1 } } });
  const likeness = graph.node('Conv', [both, weight, offset]);
  const across = Array.from({ length: POSE_WIDTH }, (_, x) => x - (POSE_WIDTH - 1) / 2);
  const place = graph.constant({ type: 'f32', dims: [1, 1, 1, POSE_WIDTH], data: across });
  const sides = graph.constant({ type: 'f32', dims: [1, POSE_POINTS, 1, 1], data: slope });
  const score = graph.node('Add', [likeness, graph.node('Mul', [place, sides])]);
  for (const [name, axis, bins] of [
    ['x', 2, 2 * POSE_WIDTH],
    ['y', 3, 2 * POSE_HEIGHT],
  ] as const) {
    const best = graph.node('ReduceMax', [score], { attributes: { axes: ints(axis), keepdims: { int: 0 } } });
    // Two bins for each pixel.
    const apart = graph.constant({ type: 'i64', dims: [4], data: [1, POSE_POINTS, bins / 2, 1] });
    const twice = graph.constant({ type: 'i64', dims: [4], data: [1, POSE_POINTS, bins / 2, 2] });
    const flat = graph.constant({ type: 'i64', dims: [3], data: [1, POSE_POINTS, bins] });
    const spread = graph.node('Expand', [graph.node('Reshape', [best, apart]), twice]);
    graph.node('Reshape', [spread, flat], { outputs: [name] });
    graph.output(name, 'f32', [1, POSE_POINTS, bins]);
  }
  return graph;
}
