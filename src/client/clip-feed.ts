/** The types of clips the server makes; asked for before one is there. */
const USUAL_MIME = 'video/mp4; codecs="avc1.42E01F, mp4a.40.2"';
/** So much of what was shown is kept when room is needed, in seconds. */
const KEPT_S = 5;

/** Safari on the iPhone has only a `ManagedMediaSource`. */
const Source = (): typeof MediaSource | undefined =>
  (globalThis as { ManagedMediaSource?: typeof MediaSource }).ManagedMediaSource ?? globalThis.MediaSource;

/** Whether this browser can show a clip while its pieces still arrive. */
export function playsPieces(mime = USUAL_MIME): boolean {
  return Source()?.isTypeSupported(mime) ?? false;
}

/** Feeds a video element with the pieces of a fragmented MP4. */
export class ClipFeed {
  readonly #video: HTMLVideoElement;
  readonly #source: MediaSource;
  readonly #url: string;
  readonly #waiting: Uint8Array[] = [];
  #buffer: SourceBuffer | undefined;
  #ended = false;

  constructor(video: HTMLVideoElement, mime: string) {
    this.#video = video;
    this.#source = new (Source()!)();
    this.#source.addEventListener(
      'sourceopen',
      () => {
        this.#buffer = this.#source.addSourceBuffer(mime);
        this.#buffer.addEventListener('updateend', () => this.feed());
        this.feed();
      },
      { once: true },
    );
    this.#url = URL.createObjectURL(this.#source);
    video.disableRemotePlayback = true;
    video.src = this.#url;
  }

  /** Takes the next piece. */
  push(bytes: Uint8Array): void {
    this.#waiting.push(bytes);
    this.feed();
  }

  /** No more pieces follow. */
  end(): void {
    this.#ended = true;
    this.feed();
  }

  /** Whether every piece is in the element. */
  get complete(): boolean {
    return this.#ended && this.#waiting.length === 0 && this.#source.readyState === 'ended';
  }

  /** Gives the element what waits, if it takes it now; call it again after a while where room was short. */
  feed(): void {
    if (!this.#buffer || this.#buffer.updating || this.#source.readyState === 'closed') return;
    const next = this.#waiting[0];
    try {
      if (next) {
        this.#buffer.appendBuffer(next as BufferSource);
        this.#waiting.shift();
      } else if (this.#ended && this.#source.readyState === 'open') this.#source.endOfStream();
    } catch (error) {
      if (!(error instanceof DOMException && error.name === 'QuotaExceededError')) throw error;
      this.#makeRoom(this.#buffer);
    }
  }

  /** Lets go of the element's memory. */
  close(): void {
    this.#waiting.length = 0;
    URL.revokeObjectURL(this.#url);
  }

  #makeRoom(buffer: SourceBuffer): void {
    const until = this.#video.currentTime - KEPT_S;
    if (buffer.buffered.length > 0 && until > buffer.buffered.start(0)) buffer.remove(0, until);
  }
}
