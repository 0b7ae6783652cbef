import type { OnnxGraph } from '../../server/onnx/graph.ts';
import { apply, f32, matrix, mostly, scalar } from './asr-tensors.ts';

/** What the tiny models that write word after word can write; 1 begins a text and 2 ends it. */
export const WORDS = ['<unk>', '<s>', '</s>', '▁hello', '▁there', '▁hallo', '▁never'];
const END = 2;
const HELLO = 3;
const THERE = 4;
const HALLO = 5;
/** By how much `hallo` is less likely than `hello`: it is what a model that knows languages writes in German. */
export const FOREIGN = 5000;

/**
 * How likely each word is at a position (counted from 1): `hello`, then `there` for each further second that was loud, then the end.
 * Both are matrices of one by one, as is the row that is returned.
 */
export function nextWord(graph: OnnxGraph, loudSeconds: string, position: string): string {
  const first = graph.node('Cast', [apply(graph, 'Less', position, [scalar(1.5)])], { attributes: { to: { int: 1 } } });
  const known = graph.node('Concat', [loudSeconds, position, first], { attributes: { axis: { int: 1 } } });
  const n = WORDS.length;
  const weights = matrix(
    mostly(n, 0, { [HELLO]: 10, [HALLO]: 10, [THERE]: 10 }),
    mostly(n, 0, { [HELLO]: -10, [HALLO]: -10, [THERE]: -10 }),
    mostly(n, 0, { [HELLO]: 1000, [HALLO]: 1000, [THERE]: -1000 }),
  );
  const bias = mostly(n, -20_000, { [END]: 0, [HELLO]: 10 - 1000, [HALLO]: 10 - 1000 - FOREIGN, [THERE]: 10 });
  return apply(graph, 'Add', apply(graph, 'MatMul', known, [weights]), [f32([n], bias)]);
}
