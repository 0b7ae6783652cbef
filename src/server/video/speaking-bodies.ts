/** A prepared base clip that nobody removes until it is given back. */
export type Body = {
  /** Where it lies, as `SpeakJob.base` wants it. */
  readonly folder: string;
  /** Of its pictures, in pixels. */
  readonly width: number;
  readonly height: number;
  giveBack(): void;
};

/** A reply for which a body of its own is wanted. */
export type ReplyWords = {
  /** What it says, as far as it is known by now. */
  readonly text: () => string;
  /** Aborts when its speech is complete. */
  readonly spoken: AbortSignal;
};

/** Gives replies the bodies that speak them. */
export interface SpeakingBodies {
  /** The best body that is ready, another one each time; undefined while there is none. */
  ready(): Body | undefined;
  /** Like `ready`, but waits for the first one; rejects with a `VideoError` when there will be none. */
  first(signal: AbortSignal): Promise<Body>;
  /**
   * A body made for one reply alone, in reflective mode; undefined when there is none to be had in time, and then an
   * ordinary one will do. `onProgress` hears the share that is done.
   */
  own?(reply: ReplyWords, onProgress: (done: number) => void, signal: AbortSignal): Promise<Body | undefined>;
}
