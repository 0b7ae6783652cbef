import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { soundSample } from '../../../protocol/pcm.ts';
import { thirder, tripler } from './rate-by-three.ts';

/** Takes the noise out of one utterance (16 kHz, -1 to 1) as it arrives. */
export type NoiseSuppressor = {
  /** Cleaned samples; as many as went in, but for what waits to fill a frame of 10 ms. */
  process(samples: Float32Array): Float32Array;
  /** What is still inside. */
  flush(): Float32Array;
  close(): void;
};

/** RNNoise works on 10 ms at 48 kHz, in the range of 16-bit integers, and answers one frame late. */
const FRAME = 160;
const SCALE = 32768;
const DELAY_FRAMES = 2;

// Node's types leave WebAssembly to the browser's, which a server does without.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    Module: new (bytes: Uint8Array) => object;
    Instance: new (module: object, imports: object) => { exports: object };
  };
};

type Memory = { readonly buffer: ArrayBuffer; grow(pages: number): number };

/** Names are the ones its build shortened: memory, constructors, create, malloc, destroy, process frame. */
type Rnnoise = {
  c: Memory;
  d(): void;
  f(model: number): number;
  g(bytes: number): number;
  h(state: number): void;
  j(state: number, out: number, frame: number): number;
};

/** Loads RNNoise (WebAssembly) once and returns what opens a suppressor per utterance. */
export function loadNoiseSuppression(): () => NoiseSuppressor {
  const file = createRequire(import.meta.url).resolve('@jitsi/rnnoise-wasm/dist/rnnoise.wasm');
  const imports = {
    a: {
      a: (bytes: number) => grow(rnnoise.c, bytes),
      b: (to: number, from: number, length: number) =>
        new Uint8Array(rnnoise.c.buffer).copyWithin(to, from, from + length),
    },
  };
  const instance = new WebAssembly.Instance(new WebAssembly.Module(readFileSync(file)), imports);
  const rnnoise = instance.exports as unknown as Rnnoise;
  rnnoise.d();
  const at = rnnoise.g(4 * 3 * FRAME);
  return () => openSuppressor(rnnoise, at);
}

function openSuppressor(rnnoise: Rnnoise, at: number): NoiseSuppressor {
  const state = rnnoise.f(0);
  const up = tripler();
  const down = thirder();
  const frame = new Float32Array(FRAME);
  let filled = 0;
  let late = DELAY_FRAMES;
  const process = (samples: Float32Array) => {
    const out = new Float32Array(FRAME * Math.floor((filled + samples.length) / FRAME));
    let written = 0;
    for (const sample of samples) {
      // One value that is not a number would stay in its memory for good.
      frame[filled++] = soundSample(sample);
      if (filled < FRAME) continue;
      filled = 0;
      const fast = up(frame).map((value) => value * SCALE);
      new Float32Array(rnnoise.c.buffer, at, fast.length).set(fast);
      rnnoise.j(state, at, at);
      const clean = down(new Float32Array(rnnoise.c.buffer, at, fast.length).map((value) => value / SCALE));
      if (late > 0) late -= 1;
      else {
        out.set(clean, written);
        written += FRAME;
      }
    }
    return out.subarray(0, written);
  };
  return {
    process,
    flush: () => process(new Float32Array((DELAY_FRAMES + 1) * FRAME)),
    close: () => rnnoise.h(state),
  };
}

function grow(memory: Memory, bytes: number): number {
  try {
    memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / 65_536));
    return 1;
  } catch {
    return 0;
  }
}
