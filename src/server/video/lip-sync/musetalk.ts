import { ahead } from '../../async/ahead.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { BaseClip, LipSync, Picture } from '../contracts.ts';
import {
  FACE_SIZE,
  LATENT_CHANNELS,
  LATENT_SIZE,
  type MuseTalkNetworks,
  type MuseTalkSettings,
} from './musetalk/networks.ts';
import { pasteFace } from './musetalk/pictures/paste-face.ts';
import { KeptFaces } from './musetalk/prepare/kept-faces.ts';
import type { PreparedFace } from './musetalk/prepare/prepare-face.ts';
import { openFaces, type PreparedFaces } from './musetalk/prepare/prepared-faces.ts';
import { Listening, type Taken } from './musetalk/speech/listening.ts';
import { SpeechStates } from './musetalk/speech/speech-states.ts';

/** `version` is the converted networks': prepared faces of others are made anew. */
type Settings = Pick<MuseTalkSettings, 'mask' | 'margin'> & { readonly version: string };

/** A batch with all that the networks need of it, and the pictures that it is painted into. */
type Inputs = {
  readonly states: Float32Array;
  readonly latents: Float32Array;
  readonly pictures: readonly Picture[];
  readonly faces: readonly PreparedFace[];
};
type Painted = Pick<Inputs, 'pictures' | 'faces'> & { readonly rgb: Uint8Array };

const FACE_BYTES = 3 * FACE_SIZE * FACE_SIZE;

/**
 * Lip-sync by MuseTalk: mouth and chin are painted by neural networks. A frame comes once 120 ms of sound after its begin are
 * there and its batch is painted (`nextBatch`). It owns `networks`; `clock` tells when speech pauses.
 */
export function createMuseTalk(
  networks: MuseTalkNetworks,
  { mask, margin, version }: Settings,
  clock: Clock = systemClock,
): LipSync {
  const closed = new AbortController();
  const kept = new KeptFaces();
  const open = (base: BaseClip) => openFaces(base, networks, { mask, margin, version }, kept);
  return {
    async prepare(base, onProgress, signal) {
      signal.throwIfAborted();
      await (await open(base)).prepareAll(onProgress, signal);
    },
    frames: (base, speech, rate, signal) =>
      spokenFrames(networks, base, open, speech, rate, clock, AbortSignal.any([signal, closed.signal])),
    async [Symbol.asyncDispose]() {
      closed.abort();
      await networks[Symbol.asyncDispose]();
    },
  };
}

async function* spokenFrames(
  networks: MuseTalkNetworks,
  base: BaseClip,
  open: (base: BaseClip) => Promise<PreparedFaces>,
  speech: AsyncIterable<Float32Array>,
  rate: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Picture, void, undefined> {
  const left = new AbortController();
  const here = AbortSignal.any([signal, left.signal]);
  try {
    const states = new SpeechStates(networks, rate);
    const listening = new Listening(states, speech, clock, here);
    const inputs = gathered(listening, states, base, await open(base), here);
    // While one batch is painted, the frames before it are used and the inputs of the one after it are got ready.
    for await (const { pictures, faces, rgb } of ahead(painted(networks, listening, ahead(inputs), here))) {
      for (const [i, picture] of pictures.entries()) {
        if (here.aborted) return;
        const { box, mask } = faces[i]!;
        pasteFace(picture, rgb.subarray(i * FACE_BYTES, (i + 1) * FACE_BYTES), box, mask);
        yield picture;
      }
    }
  } catch (error) {
    // What an abort broke off is no error.
    if (!signal.aborted) throw error;
  } finally {
    left.abort();
  }
}

async function* gathered(
  listening: Listening,
  states: SpeechStates,
  base: BaseClip,
  faces: PreparedFaces,
  signal: AbortSignal,
): AsyncGenerator<Inputs, void, undefined> {
  for (let taken: Taken | undefined; (taken = await listening.take()); ) {
    const { first, frames, size } = taken;
    const places = Array.from({ length: frames }, (_, i) => (first + i) % base.frames);
    // Faces that were not prepared take long; meanwhile more is said, of which whisper had better hear.
    const prepared = await facesAt(places, faces, signal);
    const [heard, pictures] = await Promise.all([
      states.frames(first, frames, signal),
      Promise.all(places.map((index) => base.picture(index))),
    ]);
    const latents = new Float32Array(frames * LATENT_CHANNELS * LATENT_SIZE * LATENT_SIZE);
    for (const [i, face] of prepared.entries()) latents.set(face.latents, (i * latents.length) / frames);
    yield {
      states: lengthened(heard, frames, size),
      latents: lengthened(latents, frames, size),
      pictures,
      faces: prepared,
    };
  }
}

async function* painted(
  networks: MuseTalkNetworks,
  listening: Listening,
  inputs: AsyncIterable<Inputs>,
  signal: AbortSignal,
): AsyncGenerator<Painted, void, undefined> {
  for await (const { states, latents, pictures, faces } of inputs) {
    listening.isIdle = false;
    const rgb = await networks.faces(states, latents, signal);
    yield { pictures, faces, rgb };
    listening.isIdle = true;
  }
}

/** One after the other: whatever has to be prepared first is made once. */
async function facesAt(places: readonly number[], faces: PreparedFaces, signal: AbortSignal): Promise<PreparedFace[]> {
  const prepared: PreparedFace[] = [];
  for (const index of places) prepared.push(await faces.face(index, signal));
  return prepared;
}

/** `values` of `count` frames as those of `size`, the last one repeated. */
function lengthened(values: Float32Array, count: number, size: number): Float32Array {
  if (count === size) return values;
  const each = values.length / count;
  const out = new Float32Array(each * size);
  out.set(values);
  for (let i = count; i < size; i++) out.copyWithin(i * each, (count - 1) * each, count * each);
  return out;
}
