import { VideoError } from '../../../contracts.ts';
import type { Tensors } from '../process/tensors.ts';
import { compareWithReference, type ReferenceOutput } from './compare-reference.ts';
import { type Converted, graphFile } from './converted.ts';
import { exampleInputs, frameInputs } from './example-inputs.ts';
import { type Example, writeExamples } from './examples.ts';
import { difference, problemOf } from './parity.ts';
import { tryGraphs } from './try-graphs.ts';
import type { OnStep } from './write-graphs.ts';

/** How far this machine's results may lie from the reference's: numbers in 32 bits, and levels of painted faces. */
const MAY_LIE = { latents: 1e-4, states: 1e-4, logits: 1e-4, 'faces-f32': 1, 'faces-f16': 8 } as const satisfies Record<
  ReferenceOutput,
  number
>;

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
  const { reference, trial } = await compareWithReference(folder, signal);
  for (const [output, most] of Object.entries(MAY_LIE)) {
    const off = reference[output as ReferenceOutput];
    if (!(off <= most)) {
      throw failed(
        `ONNX Runtime does not give the stored results here: ${output} are off by ${off}, at most ${most} is right`,
      );
    }
  }
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

function exampleOf(name: string, inputs: Tensors, outputs: Tensors): Example {
  // Against itself: that they are numbers, and no face of one colour.
  const problem = problemOf(outputs, outputs);
  if (problem) throw failed(`MuseTalk’s network “${name}” does not compute: ${problem}`);
  return { inputs, outputs };
}

const failed = (what: string): VideoError =>
  new VideoError(`${what}; run voice-chat models verify, npm install onnxruntime-node, and then pull musetalk again.`);
