import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { OnnxGraph } from '../../../../src/server/onnx/graph.ts';
import { WeightsFile, writeModel } from '../../../../src/server/onnx/write-model.ts';
import { faceParserGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/face-parser.ts';
import { frameGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/frame.ts';
import type { Precision } from '../../../../src/server/video/lip-sync/musetalk/graphs/net.ts';
import { faceEncoderGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/vae.ts';
import { readWhisperConfig, speechGraph } from '../../../../src/server/video/lip-sync/musetalk/graphs/whisper.ts';
import type { MuseTalkNetworks } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import { openWeights } from '../../../../src/server/weights/open-weights.ts';
import { speechNetworkFile } from '../../../fixtures/musetalk/speech-networks.ts';
import { ort, tinyNetworks } from './tiny-networks.ts';

/** The tiny networks of the fixtures in this process, all but the one of landmarks; `precision` is the painting network's. */
export async function openTinyInProcess(
  pose: MuseTalkNetworks['pose'],
  precision: Precision = { compute: 'f32', storage: 'f32' },
): Promise<MuseTalkNetworks> {
  const runtime = ort!;
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-tiny-'));
  const { unet, unetConfig, vae, vaeConfig } = await tinyNetworks();
  await using whisper = await openWeights(speechNetworkFile('whisper.safetensors'));
  await using parser = await openWeights(speechNetworkFile('parser.pth'));
  const config = readWhisperConfig(await readFile(speechNetworkFile('whisper.json'), 'utf8'));
  const sessions: InferenceSession[] = [];
  const open = async (name: string, graph: OnnxGraph) => {
    const path = join(folder, `${name}.onnx`);
    {
      await using beside = await WeightsFile.create(join(folder, `${name}.data`));
      await writeModel(path, graph, beside, () => {}, new AbortController().signal);
    }
    const session = await runtime.InferenceSession.create(path, { intraOpNumThreads: 1, logSeverityLevel: 3 });
    sessions.push(session);
    return async (inputs: Record<string, Tensor>) => (await session.run(inputs))[session.outputNames[0]!]!.data;
  };
  const speech = await open('speech', speechGraph(whisper, config));
  const parse = await open('parser', faceParserGraph(parser));
  const latents = await open('face', faceEncoderGraph(vae, vaeConfig));
  const faces = await open('frame', frameGraph(unet, unetConfig, vae, vaeConfig, precision));
  const floats = (data: Float32Array, dims: number[]) => new runtime.Tensor('float32', data, dims);
  return {
    width: config.width,
    speech: async (mel, from, to) =>
      ((await speech({ mel: floats(mel, [1, 80, 3_000]) })) as Float32Array).slice(
        from * 5 * config.width,
        to * 5 * config.width,
      ),
    pose,
    parse: async (picture) => (await parse({ picture: floats(picture, [1, 3, 512, 512]) })) as Uint8Array,
    latents: async (face) =>
      (await latents({ face: new runtime.Tensor('uint8', face, [1, 256, 256, 3]) })) as Float32Array,
    faces: async (states, seen) => {
      const count = seen.length / (8 * 32 * 32);
      const inputs = { states: floats(states, [count, 50, config.width]), latents: floats(seen, [count, 8, 32, 32]) };
      return (await faces(inputs)) as Uint8Array;
    },
    async [Symbol.asyncDispose]() {
      for (const session of sessions) await session.release();
      await rm(folder, { recursive: true });
    },
  };
}
