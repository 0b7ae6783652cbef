import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { OnnxGraph } from '../../../../onnx/graph.ts';
import { WeightsFile, writeModel } from '../../../../onnx/write-model.ts';
import { openWeights } from '../../../../weights/open-weights.ts';
import { readUnetConfig, readVaeConfig } from '../graphs/config.ts';
import { faceParserGraph } from '../graphs/face-parser.ts';
import { frameGraph } from '../graphs/frame.ts';
import type { Precision } from '../graphs/net.ts';
import { faceEncoderGraph } from '../graphs/vae.ts';
import { readWhisperConfig, speechGraph } from '../graphs/whisper.ts';
import { type GraphName, graphFile, type Sources } from './converted.ts';

/** Hears the share of one step that is done, 0 to 1. */
export type OnStep = (step: { readonly step: string; readonly done: number }) => void;

/** What is known of the written graphs. */
export type Written = { readonly width: number; readonly weightBytes: number };

/** Both graphs that paint are of these kinds, so that one file of weights serves both. */
export const HALF: Precision = { compute: 'f16', storage: 'f16' };
export const WHOLE: Precision = { compute: 'f32', storage: 'f16' };

/** Builds MuseTalk's graphs out of its published files and writes them into `folder`, weights beside them. */
export async function writeGraphs(
  sources: Sources,
  folder: string,
  onProgress: OnStep,
  signal: AbortSignal,
): Promise<Written> {
  const whisperConfig = readWhisperConfig(await readFile(sources.whisperConfig, 'utf8'));
  const unetConfig = readUnetConfig(await readFile(sources.unetConfig, 'utf8'));
  const vaeConfig = readVaeConfig(await readFile(sources.vaeConfig, 'utf8'));
  const write = (step: string, graphs: Partial<Record<GraphName, OnnxGraph>>) =>
    writeTogether(folder, step, graphs, (done) => onProgress({ step, done }), signal);

  {
    await using whisper = await openWeights(sources.whisper);
    await write('speech', { speech: speechGraph(whisper, whisperConfig) });
  }
  {
    await using parser = await openWeights(sources.parser);
    await write('parser', { parser: faceParserGraph(parser) });
  }
  onProgress({ step: 'pose', done: 0 });
  await copyFile(sources.pose, graphFile(folder, 'pose'));
  onProgress({ step: 'pose', done: 1 });
  await using vae = await openWeights(sources.vae);
  await write('face', { face: faceEncoderGraph(vae, vaeConfig) });
  await using unet = await openWeights(sources.unet);
  const frame = (precision: Precision) => frameGraph(unet, unetConfig, vae, vaeConfig, precision);
  const weightBytes = await write('frame', { 'frame-f16': frame(HALF), 'frame-f32': frame(WHOLE) });
  return { width: whisperConfig.width, weightBytes };
}

/** Writes graphs that share a file of weights, `<weights>.data`; gives the length of that. */
export async function writeTogether(
  folder: string,
  weights: string,
  graphs: Partial<Record<GraphName, OnnxGraph>>,
  onProgress: (done: number) => void,
  signal: AbortSignal,
): Promise<number> {
  await using beside = await WeightsFile.create(join(folder, `${weights}.data`));
  const all = Object.entries(graphs);
  let written = 0;
  for (const [name, graph] of all) {
    const tell = (done: number) => onProgress((written + done) / all.length);
    await writeModel(graphFile(folder, name as GraphName), graph, beside, tell, signal);
    written++;
  }
  onProgress(1);
  return beside.bytes;
}
