import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { VideoError } from '../../contracts.ts';
import type { LightX2VServer } from './lightx2v-server.ts';

/** One video that LightX2V is to make. */
export type Wan22Request = {
  readonly prompt: string;
  readonly negativePrompt: string;
  /** A square PNG. */
  readonly picture: Uint8Array;
  /** The file of the last picture; empty where the video may end as it likes. */
  readonly lastFrame: string;
  readonly frames: number;
  readonly steps: number;
  readonly seed: number;
};

const ANSWER_MS = 30_000;

/** A name for a task, by which the server will know it. */
export const newTaskId = (): string => `voice-chat-${randomUUID()}`;

/** How often the server is asked, and after how long without a sign of it it counts as hung, in milliseconds. */
export type Patience = { readonly pollMs: number; readonly hungMs: number };

/** Gives a task to the server; waits while its queue is full. Rejects with a `VideoError` when it gave no sign for `hungMs`. */
export async function submit(
  server: LightX2VServer,
  id: string,
  request: Wan22Request,
  { pollMs, hungMs }: Patience,
  signal: AbortSignal,
): Promise<void> {
  const body = JSON.stringify(fieldsOf(id, request));
  const began = performance.now();
  for (;;) {
    const response = await ask(server, 'POST', '/v1/tasks/video/', signal, body);
    await response?.body?.cancel();
    if (response?.ok) return;
    if (response && response.status !== 503) {
      throw new VideoError(
        `LightX2V refused the task (${response.status}). Is it the version of docs/video-models.md?`,
      );
    }
    // 503 is also what it says to a task that it has: the answer that it took it may have been lost.
    const status = await statusOf(server, id, signal);
    if (status !== undefined && status !== 'unknown') return;
    if (performance.now() - Math.max(began, server.lastSign) > hungMs) throw silent(hungMs);
    await sleep(pollMs, undefined, { signal });
  }
}

const silent = (hungMs: number) =>
  new VideoError(
    `LightX2V has said nothing for ${Math.round(hungMs / 1000)} s and was ended. Does nvidia-smi still answer?`,
  );

/**
 * Every field each time: LightX2V merges what it gets into its settings, where it stays for the tasks that follow. The picture
 * itself, never an address, which it would fetch; the last one as a file, since it takes nothing else there.
 */
function fieldsOf(id: string, request: Wan22Request): Record<string, unknown> {
  return {
    task_id: id,
    prompt: request.prompt,
    negative_prompt: request.negativePrompt,
    use_prompt_enhancer: false,
    image_path: `data:image/png;base64,${Buffer.from(request.picture).toString('base64')}`,
    last_frame_path: request.lastFrame,
    image_mask_path: '',
    save_result_path: `${id}.mp4`,
    presigned_url: '',
    infer_steps: request.steps,
    seed: request.seed,
    reuse: false,
    target_shape: [],
    lora_name: null,
    lora_strength: 1,
    num_fragments: 1,
    target_video_length: request.frames,
    video_path: '',
    sr_ratio: 2,
    audio_path: '',
    video_duration: 5,
    talk_objects: null,
    target_fps: 16,
    // A square picture falls into the bucket of 480 × 480.
    resize_mode: 'adaptive',
  };
}

/**
 * Waits until the task is done, which was submitted at `began` (milliseconds of `performance.now()`) or later; `onStep` hears the
 * share that is done, 0 to 1. Rejects with a `VideoError` when it failed, or the
 * server gave no sign for `hungMs`.
 */
export async function finished(
  server: LightX2VServer,
  id: string,
  { prompt, negativePrompt }: Wan22Request,
  { pollMs, hungMs, began }: Patience & { readonly began: number },
  onStep: (done: number) => void,
  signal: AbortSignal,
): Promise<void> {
  // What the server said of steps before this belongs to a task that came before.
  let since = began;
  let lastChange = performance.now();
  let last = '';
  for (;;) {
    const asked = performance.now();
    const response = await ask(server, 'GET', `/v1/tasks/${id}/status`, signal);
    const said = response?.ok ? ((await response.json()) as { status?: unknown }) : undefined;
    if (response && !response.ok) await response.body?.cancel();
    if (response?.status === 404) throw new VideoError('LightX2V has forgotten the task. The next one starts it anew.');
    const status = String(said?.status ?? '');
    if (status !== '' && status !== last) {
      last = status;
      lastChange = performance.now();
    }
    if (status === 'completed') return;
    if (status === 'failed' || status === 'cancelled') {
      throw new VideoError(`LightX2V could not make the video. ${server.why([prompt, negativePrompt])}`);
    }
    if (status === 'processing') {
      const { progress } = server;
      if (progress && progress.at >= since) onStep((progress.step - 1) / progress.steps);
    } else if (status !== '') since = asked;
    if (performance.now() - Math.max(lastChange, server.lastSign) > hungMs) throw silent(hungMs);
    await sleep(pollMs, undefined, { signal });
  }
}

/** Fetches the finished video into `file`, whole or not at all. */
export async function fetchVideo(server: LightX2VServer, id: string, file: string, signal: AbortSignal): Promise<void> {
  const response = await ask(server, 'GET', `/v1/tasks/${id}/result`, signal);
  if (!response?.ok || !response.body) {
    await response?.body?.cancel();
    throw new VideoError(`LightX2V made the video and did not give it (${response?.status ?? 'no answer'}).`);
  }
  const partial = `${file}.${randomUUID()}.part`;
  try {
    await pipeline(Readable.fromWeb(response.body as never), createWriteStream(partial), { signal });
    if ((await stat(partial)).size === 0) throw new VideoError('LightX2V gave an empty video.');
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Tells the server that nobody wants the task any more. It works on all the same, once it has begun. */
export async function drop(server: LightX2VServer, id: string): Promise<void> {
  const response = await ask(server, 'DELETE', `/v1/tasks/${id}`, AbortSignal.timeout(2_000)).catch(() => undefined);
  await response?.body?.cancel();
}

/** What became of a task; undefined where the server does not say. */
export async function statusOf(server: LightX2VServer, id: string, signal: AbortSignal): Promise<string | undefined> {
  const response = await ask(server, 'GET', `/v1/tasks/${id}/status`, signal);
  if (!response?.ok) return response?.status === 404 ? 'unknown' : undefined;
  return String(((await response.json()) as { status?: unknown }).status ?? '');
}

/** Deletes what tasks have left: LightX2V keeps every picture that it got and every video that it made. */
export async function sweep(server: LightX2VServer): Promise<void> {
  for (const name of await readdir(server.cache, { recursive: true, withFileTypes: true }).catch(() => [])) {
    if (name.isFile()) await rm(join(name.parentPath, name.name), { force: true });
  }
}

/** The answer; undefined when it broke off, or took too long. Rejects when `signal` aborts, or the server has ended. */
async function ask(
  server: LightX2VServer,
  method: string,
  path: string,
  signal: AbortSignal,
  body?: string,
): Promise<Response | undefined> {
  signal.throwIfAborted();
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': 'application/json' };
  const either = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  const request = { method, headers, signal: either, ...(body !== undefined && { body }) };
  const response = await fetch(`${server.baseUrl}${path}`, request).catch(() => undefined);
  signal.throwIfAborted();
  if (!response && !server.alive) throw new ServerGone();
  return response;
}

/** The server ended while it was needed. */
export class ServerGone extends Error {
  override readonly name = 'ServerGone';
}
