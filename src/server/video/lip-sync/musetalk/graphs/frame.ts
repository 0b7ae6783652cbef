import { OnnxGraph, TYPE_NUMBERS } from '../../../../onnx/graph.ts';
import type { Weights } from '../../../../weights/weights.ts';
import { VideoError } from '../../../contracts.ts';
import { FACE_SIZE, FRAME_TOKENS, LATENT_CHANNELS, LATENT_SIZE, STATES } from '../networks.ts';
import type { UnetConfig, VaeConfig } from './config.ts';
import { cast, type Maps, type Net, openNet, type Precision, scalar } from './net.ts';
import { addUnet } from './unet.ts';
import { addDecoder } from './vae.ts';

/** States that one frame hears: those of each of its tokens. */
const PLACES = FRAME_TOKENS * STATES;

/**
 * The graph that paints faces: inputs `states` [batch, 50, width] f32 and `latents` [batch, 8, 32, 32] f32, output `faces`
 * [batch, 256, 256, 3] u8 RGB. Graphs of the same weights and `storage` can share one file of them. Throws a `VideoError` where
 * the tensors are not those of the configurations, or where the two networks do not fit.
 */
export function frameGraph(
  unet: Weights,
  unetConfig: UnetConfig,
  vae: Weights,
  vaeConfig: VaeConfig,
  precision: Precision,
): OnnxGraph {
  refuseMisfit(unetConfig, vaeConfig);
  const graph = new OnnxGraph();
  const { width } = unetConfig;
  const states = graph.input('states', 'f32', ['batch', PLACES, width]);
  const latents = graph.input('latents', 'f32', ['batch', LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE]);

  const unetNet = openNet(graph, unet, precision, 'unet');
  const vaeNet = openNet(graph, vae, precision, 'vae');
  const places = graph.constant({ type: 'f32', dims: [PLACES, width], data: placeCodes(PLACES, width) });
  const heard = cast(unetNet, graph.node('Add', [states, places]), 'f32', precision.compute);
  const seen = cast(unetNet, latents, 'f32', precision.compute);
  const painted = addUnet(unetNet, unetConfig, { value: seen, channels: LATENT_CHANNELS, size: LATENT_SIZE }, heard);
  const value = graph.node('Div', [painted.value, scalar(vaeNet, vaeConfig.scaling)]);
  addBytes(vaeNet, addDecoder(vaeNet, vaeConfig, { ...painted, value }));
  graph.output('faces', 'u8', ['batch', FACE_SIZE, FACE_SIZE, 3]);
  return graph;
}

/** Codes of places [count, width]: sines at even columns, cosines at odd ones, their wavelengths growing up to 10 000 · 2π. */
export function placeCodes(count: number, width: number): Float32Array {
  return new Float32Array(count * width).map((_, i) => {
    const column = i % width;
    const angle = Math.floor(i / width) * 10_000 ** (-(column - (column % 2)) / width);
    return column % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

/** Pictures from -1 to 1 as bytes, rounded, the colours of a pixel together. */
function addBytes(net: Net, pictures: Maps): void {
  const { graph, precision } = net;
  const f32 = (value: number) => graph.constant({ type: 'f32', dims: [], data: [value] });
  const value = cast(net, pictures.value, precision.compute, 'f32');
  // A half more, and then down: WebGPU has no Round, so that all pictures would go to the CPU and back for it.
  const lit = graph.node('Add', [graph.node('Mul', [value, f32(127.5)]), f32(127.5 + 0.5)]);
  const whole = graph.node('Floor', [graph.node('Clip', [lit, f32(0), f32(255)])]);
  const bytes = graph.node('Cast', [whole], { attributes: { to: { int: TYPE_NUMBERS.u8 } } });
  graph.node('Transpose', [bytes], { outputs: ['faces'], attributes: { perm: { ints: [0, 2, 3, 1] } } });
}

function refuseMisfit(unet: UnetConfig, vae: VaeConfig): void {
  const fits =
    unet.inChannels === LATENT_CHANNELS &&
    2 * vae.latentChannels === LATENT_CHANNELS &&
    unet.outChannels === vae.latentChannels &&
    LATENT_SIZE * 2 ** (vae.channels.length - 1) === FACE_SIZE;
  if (fits) return;
  throw new VideoError(
    'The UNet and the autoencoder do not fit together as in MuseTalk 1.5: voice-chat models pull musetalk fetches two that do.',
  );
}
