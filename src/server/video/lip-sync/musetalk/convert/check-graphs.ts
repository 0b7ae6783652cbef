import { rm } from 'node:fs/promises';
import { VideoError } from '../../../contracts.ts';
import { ownFolder } from '../../../own-folder.ts';
import type { Tensors } from '../process/tensors.ts';
import { type Converted, graphFile } from './converted.ts';
import { exampleInputs, frameInputs } from './example-inputs.ts';
import { type Example, writeExamples } from './examples.ts';
import { difference, problemOf } from './parity.ts';
import { readReference } from './reference.ts';
import { tryGraphs } from './try-graphs.ts';
import { HALF, type OnStep, WHOLE, writeTogether } from './write-graphs.ts';

/** How far this machine's results may lie from the reference's: numbers in 32 bits, and levels of painted faces. */
const MAY_LIE = { latents: 1e-4, states: 1e-4, logits: 1e-4, 'faces-f32': 1, 'faces-f16': 8 } as const;
type Output = keyof typeof MAY_LIE;

/**
 * Loads and runs every graph in `folder` on the CPU, each with its memory given back before the next large one, and keeps what
 * they gave there as examples. Rejects with a `VideoError` where small networks do not give the stored results of the reference
 * implementations, or where 16-bit faces are not those of 32 bits.
 */
export async function checkGraphs(
  folder: string,
  onProgress: OnStep,
  signal: AbortSignal,
): Promise<Pick<Converted, 'parity' | 'cpuBytes'>> {
  const tell = (done: number) => onProgress({ step: 'check', done });
  tell(0);
  const { reference, trial } = await checkReference(folder, signal);
  tell(0.1);
  const inputs = await exampleInputs();
  const names = ['speech', 'face', 'parser', 'pose'] as const;
  // The published landmark network names its input as it likes.
  const given = (name: (typeof names)[number]): Tensors =>
    name === 'pose' ? { '': inputs.pose.picture! } : inputs[name];
  const trials = names.map((name) => ({ file: graphFile(folder, name), inputs: [given(name)] }));
  const small = (await tryGraphs(trials, signal)).map(({ outputs }) => outputs[0]!);
  const [speech, face, parser, pose] = small.map((outputs, i) => exampleOf(names[i]!, inputs[names[i]!], outputs));
  tell(0.3);

  const frame = frameInputs(speech!.outputs, face!.outputs);
  const painted = async (name: 'frame-f32' | 'frame-f16') => {
    const [tried] = await tryGraphs([{ file: graphFile(folder, name), inputs: [frame] }], signal);
    return { outputs: tried!.outputs[0]!, peakBytes: tried!.peakBytes };
  };
  const whole = await painted('frame-f32');
  const large = exampleOf('frame', frame, whole.outputs);
  tell(0.6);
  const half = await painted('frame-f16');
  const problem = problemOf(half.outputs, whole.outputs);
  if (problem) throw failed(`With 16 bits MuseTalk does not paint as with 32: ${problem}`);
  await writeExamples(folder, { speech: speech!, face: face!, parser: parser!, pose: pose!, frame: large, trial });
  tell(1);
  return {
    parity: { reference, half: difference(half.outputs.faces!.data, whole.outputs.faces!.data) },
    cpuBytes: whole.peakBytes,
  };
}

/** Builds the small networks, which stay in the folder to try devices with, and compares what they give here. */
async function checkReference(
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly reference: Record<Output, number>; readonly trial: Example }> {
  const stored = await readReference();
  const graphs = { 'trial-f16': stored.frame(HALF), 'trial-f32': stored.frame(WHOLE) };
  await writeTogether(folder, 'trial', graphs, () => {}, signal);
  const others = { speech: stored.speech, face: stored.face, parser: stored.parser };
  // Goes with the folder where this fails, and without it below.
  const scratch = await ownFolder(folder);
  await writeTogether(scratch, 'reference', others, () => {}, signal);
  const results = await tryGraphs(
    [
      { file: graphFile(folder, 'trial-f16'), inputs: [stored.inputs.frame] },
      { file: graphFile(folder, 'trial-f32'), inputs: [stored.inputs.frame] },
      ...(['speech', 'face', 'parser'] as const).map((name) => ({
        file: graphFile(scratch, name),
        inputs: [stored.inputs[name]],
      })),
    ],
    signal,
  );
  await rm(scratch, { recursive: true });
  const [half, whole, speech, face, parser] = results.map(({ outputs }) => outputs[0]!);
  const reference: Record<Output, number> = {
    'faces-f16': stored.distance('faces', half!.faces!.data),
    'faces-f32': stored.distance('faces', whole!.faces!.data),
    states: stored.distance('states', speech!.states!.data),
    latents: stored.distance('latents', face!.latents!.data),
    logits: stored.distance('logits', parser!.logits!.data),
  };
  for (const [output, most] of Object.entries(MAY_LIE)) {
    const off = reference[output as Output];
    if (!(off <= most)) {
      throw failed(
        `ONNX Runtime does not give the stored results here: ${output} are off by ${off}, at most ${most} is right`,
      );
    }
  }
  return { reference, trial: { inputs: stored.inputs.frame, outputs: whole! } };
}

function exampleOf(name: string, inputs: Tensors, outputs: Tensors): Example {
  // Against itself: that they are numbers, and no face of one colour.
  const problem = problemOf(outputs, outputs);
  if (problem) throw failed(`MuseTalk’s network “${name}” does not compute: ${problem}`);
  return { inputs, outputs };
}

const failed = (what: string): VideoError =>
  new VideoError(`${what}; run voice-chat models verify, npm install onnxruntime-node, and then pull musetalk again.`);
