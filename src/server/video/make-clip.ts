import type { ClipStore, NewClip } from './clip-store.ts';
import type { Clock } from './clock.ts';
import { VideoError, type VideoWorker } from './contracts.ts';
import type { ReplyClip } from './reply-clip.ts';
import type { Body, SpeakingBodies } from './speaking-bodies.ts';

/** What clips are made with. */
export type ClipTools = {
  readonly worker: VideoWorker;
  readonly bodies: SpeakingBodies;
  readonly clips: Pick<ClipStore, 'begin'>;
  /** Samples per second of all speech. */
  readonly rate: number;
  readonly clock: Clock;
};

/** A clip may take this long, and this many times its own length. */
const LIMIT_MS = 20_000;
const LIMIT_LENGTHS = 3;
const TOO_LONG = 'A clip took too long: the video engine is still starting, or the machine is too slow for video.';

/**
 * Makes a reply's clip and ends the reply: done, or failed with one sentence. Never rejects; returns once the worker has
 * let go.
 */
export async function makeClip(reply: ReplyClip, tools: ClipTools): Promise<void> {
  let sent = 0;
  void limitTime(reply, tools, () => sent);
  let body: Body | undefined;
  let clip: NewClip | undefined;
  try {
    body = reply.body ?? tools.bodies.ready() ?? (await firstBody(reply, tools.bodies));
    if (reply.ended) return;
    clip = tools.clips.begin();
    for await (const bytes of speak(reply, tools, body, clip)) {
      // Whatever comes of a reply that has ended is dropped, and the worker is left.
      if (reply.ended) return;
      if (sent === 0) announce(reply, tools, body, clip);
      clip.write(bytes);
      sent += bytes.length;
      reply.tell({ type: 'bytes', turn: reply.turn, bytes });
    }
    if (reply.ended) return;
    if (sent === 0 || !reply.speech.ended.aborted) {
      throw new VideoError('The video worker ended a clip before its speech; look at its lines in the log.');
    }
    await clip.finish();
    const seconds = reply.speech.samples / tools.rate;
    reply.tell({ type: 'done', turn: reply.turn, clip: clip.id, bytes: sent, seconds });
    reply.end({ kind: 'done' });
  } catch (error) {
    reply.end({ kind: 'failed', message: sentenceOf(error) });
  } finally {
    body?.giveBack();
    if (reply.ended?.kind !== 'done') await clip?.drop().catch(() => {});
  }
}

async function firstBody(reply: ReplyClip, bodies: SpeakingBodies): Promise<Body> {
  reply.tell({ type: 'progress', turn: reply.turn, stage: 'base' });
  return bodies.first(reply.gone);
}

function speak(reply: ReplyClip, { worker, rate }: ClipTools, { folder }: Body, { file }: NewClip) {
  reply.tell({ type: 'progress', turn: reply.turn, stage: 'speaking' });
  return worker.speak({ base: folder, rate, file }, reply.speech.read(), reply.gone);
}

function announce(reply: ReplyClip, { worker }: ClipTools, { width, height }: Body, { id }: NewClip): void {
  reply.tell({ type: 'clip', turn: reply.turn, clip: id, mime: worker.mime, width, height });
}

/** Ends a reply whose clip takes too long. While speech is still to come, only a worker that leaves speech lying is late. */
async function limitTime(reply: ReplyClip, { clock, rate }: ClipTools, sent: () => number): Promise<void> {
  const limit = () => LIMIT_MS + (LIMIT_LENGTHS * 1_000 * reply.speech.samples) / rate;
  for (let since = clock.now(), before = 0; !reply.ended; ) {
    const left = since + limit() - clock.now();
    if (left > 0) {
      await clock.wait(left, reply.gone);
    } else if (reply.speech.ended.aborted || (sent() === before && reply.speech.unread > 0)) {
      reply.end({ kind: 'failed', message: TOO_LONG });
    } else {
      since = clock.now();
      before = sent();
    }
  }
}

/** What is said of an error: its own sentence when it was made for users. */
const sentenceOf = (error: unknown): string =>
  error instanceof Error && (error.name === 'VideoError' || error.name === 'EngineError')
    ? error.message
    : 'The clip of a reply could not be made; the log says why.';
