import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { VideoError } from '../contracts.ts';
import { damaged } from './picture-problem.ts';
import type { Rgba } from './png.ts';

// Node's types leave WebAssembly to the browser's, which a server does without.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    compile(bytes: Uint8Array): Promise<object>;
    Instance: new (module: object, imports: object) => { readonly exports: object };
  };
};

type Decoder = { decode(bytes: Uint8Array, ...options: readonly boolean[]): Rgba | null };
type Factory = (options: object) => Promise<Decoder>;

/** The pixels of a JPEG file, whose frame begins at `frameAt`, not turned upright (mozjpeg); throws a `PictureProblem`. */
export async function readJpeg(bytes: Uint8Array, frameAt: number): Promise<Rgba> {
  // A decoder would fill what is missing with grey.
  const end = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).indexOf('\xff\xd9', frameAt, 'latin1');
  if (end < 0) throw damaged('JPEG');
  // False: it would turn the picture upright, and not say so.
  return decode('JPEG', '@jsquash/jpeg/codec/dec/mozjpeg_dec', bytes, false);
}

/** The pixels of a WebP file (libwebp); throws a `PictureProblem` when it is damaged. */
export function readWebp(bytes: Uint8Array): Promise<Rgba> {
  return decode('WebP', '@jsquash/webp/codec/dec/webp_dec', bytes);
}

/** In a sandbox of its own for each picture: one that breaks it takes nothing else along. */
async function decode(kind: string, codec: string, bytes: Uint8Array, ...options: readonly boolean[]): Promise<Rgba> {
  const decoder = await open(codec);
  try {
    const pixels = decoder.decode(bytes, ...options);
    if (pixels) return pixels;
  } catch (cause) {
    throw damaged(kind, cause);
  }
  throw damaged(kind);
}

async function open(codec: string): Promise<Decoder> {
  try {
    const wasm = await WebAssembly.compile(await readFile(createRequire(import.meta.url).resolve(`${codec}.wasm`)));
    const { default: create } = (await import(`${codec}.js`)) as { default: Factory };
    return await create({
      noInitialRun: true,
      // It would print what is wrong with the picture.
      print: () => {},
      printErr: () => {},
      instantiateWasm: (imports: object, done: (instance: object) => void) => {
        const instance = new WebAssembly.Instance(wasm, imports);
        done(instance);
        return instance.exports;
      },
    });
  } catch (cause) {
    throw new VideoError('The decoders of pictures could not be loaded; run npm ci again.', { cause });
  }
}
