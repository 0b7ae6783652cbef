/** What a process of the video tier has to say while it works: one sentence for the log. */
export type News = {
  readonly level: 'info' | 'warn';
  readonly text: string;
  /** To be told each time; what else is for information is told once, whichever process says it. */
  readonly repeats?: boolean;
  /** Which lip-sync makes the mouths from now on, where that changes. */
  readonly mouths?: 'musetalk' | 'visemes';
};
