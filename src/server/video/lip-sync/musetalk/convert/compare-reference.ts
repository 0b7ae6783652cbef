import { rm } from 'node:fs/promises';
import { ownFolder } from '../../../own-folder.ts';
import { graphFile } from './converted.ts';
import type { Example } from './examples.ts';
import { readReference } from './reference.ts';
import { tryGraphs } from './try-graphs.ts';
import { HALF, WHOLE, writeTogether } from './write-graphs.ts';

/** What is compared: numbers in 32 bits, and painted faces of graphs of either width. */
export type ReferenceOutput = 'states' | 'latents' | 'logits' | 'faces-f32' | 'faces-f16';

/**
 * Builds the small networks in `folder`, where those that paint stay to try devices with, runs them on the CPU and tells how far
 * each output lies, at most, from what the reference implementations gave: faces in levels of 255.
 */
export async function compareWithReference(
  folder: string,
  signal: AbortSignal,
): Promise<{ readonly reference: Record<ReferenceOutput, number>; readonly trial: Example }> {
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
  const reference: Record<ReferenceOutput, number> = {
    'faces-f16': stored.distance('faces', half!.faces!.data),
    'faces-f32': stored.distance('faces', whole!.faces!.data),
    states: stored.distance('states', speech!.states!.data),
    latents: stored.distance('latents', face!.latents!.data),
    logits: stored.distance('logits', parser!.logits!.data),
  };
  return { reference, trial: { inputs: stored.inputs.frame, outputs: whole! } };
}
