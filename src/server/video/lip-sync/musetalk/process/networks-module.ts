import { resourceUsage } from 'node:process';
import { Queue } from '../../../../async/queue.ts';
import { VideoError } from '../../../contracts.ts';
import {
  BATCHES,
  FACE_SIZE,
  LATENT_CHANNELS,
  LATENT_SIZE,
  MEL_BANDS,
  MEL_COLUMNS,
  type MuseTalkSettings,
  PARSE_SIZE,
  POSE_HEIGHT,
  POSE_SPLIT,
  POSE_WIDTH,
  STATES,
} from '../networks.ts';
import { startCompute } from './compute.ts';
import type { Done, Job } from './jobs.ts';
import { ofFrame, type Tensors, type Values } from './tensors.ts';

/** What a call gives: sentences for the log, at times a sign that it goes on, and at last its one result. */
export type Told<T> = { readonly said: string } | { readonly goesOn: true } | { readonly result: T };
export type Telling<T> = AsyncGenerator<Told<T>, void, undefined>;

/** What came of a graph that was only tried, and the most memory that this process has taken so far, in bytes. */
export type Tried = Done & { readonly outputs: readonly Tensors[]; readonly peakBytes: number };

/** What the process offers; every call gives one result at its end. */
export type NetworksProcess = {
  speech(mel: Float32Array, from: number, to: number, signal: AbortSignal): Telling<Float32Array>;
  pose(picture: Float32Array, signal: AbortSignal): Telling<{ x: Float32Array; y: Float32Array }>;
  parse(picture: Float32Array, signal: AbortSignal): Telling<Uint8Array>;
  latents(face: Uint8Array, signal: AbortSignal): Telling<Float32Array>;
  faces(states: Float32Array, latents: Float32Array, width: number, signal: AbortSignal): Telling<Uint8Array>;
  /** Where it computes; finds that out if it has not yet. */
  device(signal: AbortSignal): Telling<NonNullable<Done['chosen']>>;
  /** Loads a graph, runs it for each of `inputs`, and lets it go. */
  tried(job: Extract<Job, { kind: 'graph' }>, signal: AbortSignal): Telling<Tried>;
  /** Answers, and does nothing. */
  ping(signal: AbortSignal): Telling<true>;
};

/** Opens MuseTalk's networks in this process; meant for one of its own, which the runtime and a driver may end at any time. */
export async function create(settings: MuseTalkSettings | undefined): Promise<NetworksProcess> {
  // So that cards are counted as nvidia-smi counts them, and not with the quickest first.
  Object.assign(process.env, { CUDA_DEVICE_ORDER: 'PCI_BUS_ID' });
  const compute = startCompute(settings);

  /** Tells what a job says while it is done, and gives what came of it. */
  async function* asked(job: Job, signal: AbortSignal): AsyncGenerator<Told<never>, Done, undefined> {
    const told = new Queue<Told<never>>();
    const done = compute.ask(job, (said) => told.push({ said }), signal).finally(() => told.end());
    done.catch(() => {});
    yield* told;
    return done;
  }

  async function* run(network: Extract<Job, { kind: 'run' }>['network'], inputs: Tensors, signal: AbortSignal) {
    const { outputs } = yield* asked({ kind: 'run', network, inputs }, signal);
    return outputs![0]!;
  }

  return {
    async *speech(mel, from, to, signal) {
      const made = yield* run('speech', { mel: { dims: [1, MEL_BANDS, MEL_COLUMNS], data: mel } }, signal);
      const { dims, data } = made.states!;
      const token = STATES * dims.at(-1)!;
      yield { result: data.slice(from * token, to * token) as Float32Array };
    },
    async *pose(picture, signal) {
      const inputs = { picture: { dims: [1, 3, POSE_HEIGHT, POSE_WIDTH], data: picture } };
      const scores = Object.values(yield* run('pose', inputs, signal));
      const along = (pixels: number): Float32Array => {
        const found = scores.find(({ dims }) => dims.at(-1) === pixels * POSE_SPLIT);
        if (found) return found.data.slice() as Float32Array;
        throw new VideoError('The landmark network is not DWPose’s; pull musetalk again.');
      };
      yield { result: { x: along(POSE_WIDTH), y: along(POSE_HEIGHT) } };
    },
    async *parse(picture, signal) {
      const inputs = { picture: { dims: [1, 3, PARSE_SIZE, PARSE_SIZE], data: picture } };
      const { classes } = yield* run('parser', inputs, signal);
      yield { result: classes!.data.slice() as Uint8Array };
    },
    async *latents(face, signal) {
      const inputs = { face: { dims: [1, FACE_SIZE, FACE_SIZE, 3], data: face } };
      const { latents } = yield* run('face', inputs, signal);
      yield { result: latents!.data.slice() as Float32Array };
    },
    async *faces(states, latents, width, signal) {
      const one = LATENT_CHANNELS * LATENT_SIZE * LATENT_SIZE;
      const batch = latents.length / one;
      if (!BATCHES.some((size) => size === batch))
        throw new VideoError(`MuseTalk paints no ${batch} frames at a time.`);
      const inputs: Record<'states' | 'latents', Values> = {
        states: { dims: [batch, states.length / batch / width, width], data: states },
        latents: { dims: [batch, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE], data: latents },
      };
      const { chosen } = yield* asked({ kind: 'device' }, signal);
      if (chosen!.device !== 'cpu') {
        const { faces } = yield* run('frame', inputs, signal);
        yield { result: faces!.data.slice() as Uint8Array };
        return;
      }
      // A frame takes the CPU seconds: one by one an abort is heard between them, and the process does not seem to hang.
      const all = new Uint8Array(batch * FACE_SIZE * FACE_SIZE * 3);
      for (let frame = 0; frame < batch; frame++) {
        const ofOne = { states: ofFrame(inputs.states, frame), latents: ofFrame(inputs.latents, frame) };
        const { faces } = yield* run('frame', ofOne, signal);
        all.set(faces!.data, (frame * all.length) / batch);
        yield { goesOn: true };
      }
      yield { result: all };
    },
    async *device(signal) {
      const { chosen } = yield* asked({ kind: 'device' }, signal);
      yield { result: chosen! };
    },
    async *tried(job, signal) {
      const done = yield* asked(job, signal);
      yield { result: { ...done, outputs: done.outputs!, peakBytes: resourceUsage().maxRSS * 1_024 } };
    },
    async *ping() {
      yield { result: true };
    },
  };
}
