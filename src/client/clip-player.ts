import type { ServerMessage } from '../protocol/messages.ts';
import { ClipFeed, playsPieces } from './clip-feed.ts';
import { type Clip, followSound } from './clip-follow.ts';
import type { HeardClock } from './heard-clock.ts';

/** What the page does with a clip that is shown. */
export type ClipHandlers = {
  /** It is to be on top from now on, or no longer; `fades`: not at once. */
  onShow(shown: boolean, fades: boolean): void;
  /** A frame is on the screen: its time less what was heard then, in milliseconds. */
  onFrame(offsetMs: number): void;
};

/** A frame of a clip on the screen, told to whoever measures as the event `voice-chat:frame` of its element. */
type ShownFrame = {
  readonly turn: number;
  readonly mediaTime: number;
  readonly heard: number;
  readonly shown: boolean;
};

type SpeakingClip = Extract<ServerMessage, { type: 'speaking_clip' }>;

/** Shows the clip of one reply in a muted video element, at the pace of the reply's sound. */
export class ClipPlayer {
  readonly turn: number;
  readonly #video: HTMLVideoElement;
  readonly #clock: () => HeardClock | undefined;
  readonly #handlers: ClipHandlers;
  #feed: ClipFeed | undefined;
  #received = 0;
  /** The address of a whole file in memory, where pieces cannot be played. */
  #file: string | undefined;
  #clip: Clip = { is: 'loading' };
  #drift: number | undefined;
  readonly #tellsFrames = 'requestVideoFrameCallback' in HTMLVideoElement.prototype;
  #shown = false;
  #closed = false;
  #marked = false;

  constructor(
    video: HTMLVideoElement,
    { turn, mime }: SpeakingClip,
    clock: () => HeardClock | undefined,
    handlers: ClipHandlers,
  ) {
    this.turn = turn;
    this.#video = video;
    this.#clock = clock;
    this.#handlers = handlers;
    // A nudge of a few percent needs no care for the pitch of what nobody hears.
    video.preservesPitch = false;
    this.#feed = playsPieces(mime) ? new ClipFeed(video, mime) : undefined;
    this.#look();
    this.#watch();
  }

  /** The state it is in, for the panel of figures. */
  get state(): Clip['is'] {
    return this.#clip.is;
  }

  /** Takes the next bytes of the clip. */
  push(bytes: Uint8Array): void {
    this.#received += bytes.length;
    this.#feed?.push(bytes);
  }

  /** The clip is whole and lies at `url`, `bytes` long: takes the file where pieces did not come or cannot be played. */
  async end(bytes: number, url: string): Promise<void> {
    if (this.#feed && this.#received >= bytes) return this.#feed.end();
    const response = await fetch(url).catch(() => undefined);
    const file = response?.ok ? await response.blob().catch(() => undefined) : undefined;
    if (!file || this.#closed) return;
    this.#feed?.close();
    this.#feed = undefined;
    this.#clip = { is: 'loading' };
    this.#file = URL.createObjectURL(file);
    this.#video.src = this.#file;
  }

  /** Lets go of it; what it shows is not on top any more when this returns. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#show(false);
    this.#video.pause();
    this.#video.removeAttribute('src');
    this.#video.load();
    this.#feed?.close();
    if (this.#file) URL.revokeObjectURL(this.#file);
  }

  #look(): void {
    requestAnimationFrame(() => {
      if (this.#closed) return;
      this.#feed?.feed();
      this.#step();
      this.#look();
    });
  }

  #step(): void {
    const video = this.#video;
    const { buffered } = video;
    const now = performance.now();
    const heard = this.#heardAt(now);
    if (!this.#tellsFrames && heard !== undefined && !video.paused) this.#drift = video.currentTime - heard;
    const step = followSound(this.#clip, {
      now: now / 1000,
      heard,
      from: buffered.length > 0 ? buffered.start(0) : 0,
      to: buffered.length > 0 ? buffered.end(buffered.length - 1) : 0,
      complete: this.#file !== undefined || (this.#feed?.complete ?? false),
      decoded: video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && !video.seeking,
      position: video.currentTime,
      ...(this.#drift !== undefined && { drift: this.#drift }),
    });
    this.#drift = undefined;
    this.#clip = step.clip;
    if (step.pause) video.pause();
    if (step.seek !== undefined) video.currentTime = step.seek;
    if (step.play !== undefined) {
      video.playbackRate = step.play;
      if (video.paused) video.play().catch(() => {});
    }
    this.#show(step.show);
  }

  #watch(): void {
    if (!this.#tellsFrames) return;
    this.#video.requestVideoFrameCallback((_now, { mediaTime, expectedDisplayTime }) => {
      if (this.#closed) return;
      const heard = this.#heardAt(expectedDisplayTime);
      if (heard !== undefined && this.#clip.is === 'running') {
        this.#drift = mediaTime - heard;
        this.#tell({ turn: this.turn, mediaTime, heard, shown: this.#shown }, expectedDisplayTime);
      }
      this.#watch();
    });
  }

  #tell(frame: ShownFrame, startTime: number): void {
    this.#video.dispatchEvent(new CustomEvent('voice-chat:frame', { detail: frame }));
    if (!this.#shown) return;
    if (!this.#marked) performance.mark('voice-chat:clip', { startTime, detail: { turn: this.turn } });
    this.#marked = true;
    this.#handlers.onFrame((frame.mediaTime - frame.heard) * 1000);
  }

  #heardAt(ms: number): number | undefined {
    const heard = this.#clock()?.at(ms);
    return heard?.turn === this.turn ? heard.seconds : undefined;
  }

  #show(shown: boolean): void {
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#handlers.onShow(shown, !this.#closed);
  }
}
