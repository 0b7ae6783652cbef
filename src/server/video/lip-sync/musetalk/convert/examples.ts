import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VideoError } from '../../../contracts.ts';
import type { Tensors, Values } from '../process/tensors.ts';

/** What a network made of some input when it was converted, on the CPU and in 32 bits; wherever it computes must agree. */
export type Example = { readonly inputs: Tensors; readonly outputs: Tensors };
export type ExampleName = 'speech' | 'face' | 'parser' | 'pose' | 'frame' | 'trial';
export type Examples = Readonly<Record<ExampleName, Example>>;

type Entry = { readonly type: 'f32' | 'u8'; readonly dims: readonly number[]; readonly offset: number };
type Index = Record<string, { inputs: Record<string, Entry>; outputs: Record<string, Entry> }>;

const files = (folder: string) => ({ index: join(folder, 'examples.json'), data: join(folder, 'examples.data') });

/** Keeps examples in a folder. */
export async function writeExamples(folder: string, examples: Examples): Promise<void> {
  const index: Index = {};
  const parts: Uint8Array[] = [];
  let offset = 0;
  const kept = (tensors: Tensors): Record<string, Entry> =>
    Object.fromEntries(
      Object.entries(tensors).map(([name, { dims, data }]) => {
        const entry: Entry = { type: data instanceof Uint8Array ? 'u8' : 'f32', dims, offset };
        // Floats must begin at multiples of 4.
        const bytes = new Uint8Array(Math.ceil(data.byteLength / 4) * 4);
        bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
        parts.push(bytes);
        offset += bytes.length;
        return [name, entry];
      }),
    );
  for (const [name, { inputs, outputs }] of Object.entries(examples)) {
    index[name] = { inputs: kept(inputs), outputs: kept(outputs) };
  }
  await writeFile(files(folder).data, Buffer.concat(parts));
  await writeFile(files(folder).index, JSON.stringify(index));
}

/** The examples of a converted folder; rejects with a `VideoError` where they are lost. */
export async function readExamples(folder: string): Promise<Examples> {
  try {
    const index = JSON.parse(await readFile(files(folder).index, 'utf8')) as Index;
    const { buffer } = Uint8Array.from(await readFile(files(folder).data));
    const values = ({ type, dims, offset }: Entry): Values => {
      const count = dims.reduce((product, dim) => product * dim, 1);
      return {
        dims,
        data: type === 'u8' ? new Uint8Array(buffer, offset, count) : new Float32Array(buffer, offset, count),
      };
    };
    const tensors = (entries: Record<string, Entry>): Tensors =>
      Object.fromEntries(Object.entries(entries).map(([name, entry]) => [name, values(entry)]));
    return Object.fromEntries(
      Object.entries(index).map(([name, { inputs, outputs }]) => [
        name,
        { inputs: tensors(inputs), outputs: tensors(outputs) },
      ]),
    ) as Examples;
  } catch (cause) {
    const message = `MuseTalk’s files in ${folder} are damaged; delete that folder, and run voice-chat models pull musetalk, which fetches nothing again.`;
    throw new VideoError(message, { cause });
  }
}
