import { OnnxGraph, onnxModel } from '../server/onnx/graph.ts';
import { POSE_HEIGHT, POSE_POINTS, POSE_SPLIT, POSE_WIDTH } from '../server/video/lip-sync/musetalk/networks.ts';

/** A model in DWPose's form that sees all points in the middle, whatever it is given; all scores change a little with the picture. */
export function poseStandIn(): Uint8Array {
  const graph = new OnnxGraph();
  const picture = graph.input('input', 'f32', ['batch', 3, POSE_HEIGHT, POSE_WIDTH]);
  const mean = graph.node('ReduceMean', [picture], { attributes: { axes: { ints: [1, 2, 3] }, keepdims: { int: 0 } } });
  const lit = graph.node('Reshape', [mean, graph.constant({ type: 'i64', dims: [3], data: [-1, 1, 1] })]);
  const little = graph.node('Mul', [lit, graph.constant({ type: 'f32', dims: [], data: [1e-3] })]);
  for (const [name, pixels] of [
    ['simcc_x', POSE_WIDTH],
    ['simcc_y', POSE_HEIGHT],
  ] as const) {
    const length = pixels * POSE_SPLIT;
    const data = new Float32Array(POSE_POINTS * length).map((_, i) => Math.exp(-((((i % length) - pixels) / 6) ** 2)));
    const scores = graph.constant({ type: 'f32', dims: [1, POSE_POINTS, length], data });
    graph.node('Add', [scores, little], { outputs: [name] });
    graph.output(name, 'f32', ['batch', POSE_POINTS, length]);
  }
  return onnxModel(graph);
}
