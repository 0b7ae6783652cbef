import { OnnxGraph, TYPE_NUMBERS } from '../../../../onnx/graph.ts';
import type { Weights } from '../../../../weights/weights.ts';
import { VideoError } from '../../../contracts.ts';
import { PARSE_CLASSES, PARSE_SIZE } from '../networks.ts';
import { foldedConv } from './face-parser-conv.ts';
import { hasTensor, type Maps, type Net, openNet, part } from './net.ts';
import { add, concat, upsample } from './net-layers.ts';

/**
 * BiSeNet on ResNet-18 as face-parsing.PyTorch has it, in 32 bits: of `picture` [1, 3, 512, 512] it makes `classes`
 * [1, 512, 512]; with `logits` it gives those, too, [1, 19, 512, 512]. Widths are those of the tensors; throws a `VideoError`
 * where these are not there or do not fit together.
 */
export function faceParserGraph(weights: Weights, { logits = false } = {}): OnnxGraph {
  const graph = new OnnxGraph();
  const net = openNet(graph, weights, { compute: 'f32', storage: 'f32' }, 'parser');
  const picture = graph.input('picture', 'f32', [1, 3, PARSE_SIZE, PARSE_SIZE]);
  const { fine, context } = contextPath(part(net, 'cp'), { value: picture, channels: 3, size: PARSE_SIZE });
  const head = part(net, 'conv_out');
  const coarse = foldedConv(head, 'conv_out', step(head, 'conv', fusion(part(net, 'ffm'), fine, context)));
  if (coarse.channels !== PARSE_CLASSES) {
    const message = `The face parser ${weights.file} tells ${coarse.channels} classes apart instead of ${PARSE_CLASSES}`;
    throw new VideoError(`${message}; get the right one with \`voice-chat models pull musetalk\`.`);
  }

  const dims = [1, PARSE_CLASSES, PARSE_SIZE, PARSE_SIZE];
  const sizes = graph.constant({ type: 'i64', dims: [4], data: dims });
  graph.node('Resize', [coarse.value, '', '', sizes], {
    attributes: { mode: { string: 'linear' }, coordinate_transformation_mode: { string: 'align_corners' } },
    outputs: ['logits'],
  });
  const best = graph.node('ArgMax', ['logits'], { attributes: { axis: { int: 1 }, keepdims: { int: 0 } } });
  graph.node('Cast', [best], { attributes: { to: { int: TYPE_NUMBERS.u8 } }, outputs: ['classes'] });
  graph.output('classes', 'u8', [1, PARSE_SIZE, PARSE_SIZE]);
  if (logits) graph.output('logits', 'f32', dims);
  return graph;
}

/** Features at an 8th of the size, and as fine, but of coarser features: what is around each place. */
function contextPath(net: Net, picture: Maps): { readonly fine: Maps; readonly context: Maps } {
  const resnet = part(net, 'resnet');
  const first = relu(net, foldedConv(resnet, 'conv1', picture, { norm: 'bn1', stride: 2 }));
  const pool = { kernel_shape: { ints: [3, 3] }, strides: { ints: [2, 2] }, pads: { ints: [1, 1, 1, 1] } };
  const pooled = net.graph.node('MaxPool', [first.value], { attributes: pool });
  const layer1 = layer(part(resnet, 'layer1'), { ...first, value: pooled, size: first.size / 2 }, 1);
  const at8 = layer(part(resnet, 'layer2'), layer1, 2);
  const at16 = layer(part(resnet, 'layer3'), at8, 2);
  const at32 = layer(part(resnet, 'layer4'), at16, 2);

  const around32 = add(net, refined(part(net, 'arm32'), at32), step(net, 'conv_avg', whole(net, at32)));
  const around16 = add(net, refined(part(net, 'arm16'), at16), step(net, 'conv_head32', upsample(net, around32)));
  return { fine: at8, context: step(net, 'conv_head16', upsample(net, around16)) };
}

/** Two blocks of a ResNet. */
function layer(net: Net, maps: Maps, stride: 1 | 2): Maps {
  return block(part(net, '1'), block(part(net, '0'), maps, stride), 1);
}

function block(net: Net, maps: Maps, stride: 1 | 2): Maps {
  const inner = relu(net, foldedConv(net, 'conv1', maps, { norm: 'bn1', stride }));
  const last = foldedConv(net, 'conv2', inner, { norm: 'bn2' });
  const widened = stride > 1 || hasTensor(net, 'downsample.0.weight');
  const shortcut = widened ? foldedConv(net, 'downsample.0', maps, { norm: 'downsample.1', stride }) : maps;
  return relu(net, add(net, last, shortcut));
}

/** A convolution, its norm and a ReLU, as the parts beside the ResNet name them. */
function step(net: Net, name: string, maps: Maps): Maps {
  return relu(net, foldedConv(part(net, name), 'conv', maps, { norm: 'bn' }));
}

/** A convolution whose channels are weighed by what the whole picture holds. */
function refined(net: Net, maps: Maps): Maps {
  const features = step(net, 'conv', maps);
  return weighed(net, features, foldedConv(net, 'conv_atten', whole(net, features), { norm: 'bn_atten' }));
}

/** What is seen and what is around it, put together. */
function fusion(net: Net, fine: Maps, context: Maps): Maps {
  const features = step(net, 'convblk', concat(net, fine, context));
  const shares = foldedConv(net, 'conv2', relu(net, foldedConv(net, 'conv1', whole(net, features))));
  return add(net, features, weighed(net, features, shares));
}

function weighed({ graph }: Net, maps: Maps, shares: Maps): Maps {
  return { ...maps, value: graph.node('Mul', [maps.value, graph.node('Sigmoid', [shares.value])]) };
}

const relu = ({ graph }: Net, maps: Maps): Maps => ({ ...maps, value: graph.node('Relu', [maps.value]) });
const whole = ({ graph }: Net, maps: Maps): Maps => ({
  ...maps,
  value: graph.node('GlobalAveragePool', [maps.value]),
  size: 1,
});
