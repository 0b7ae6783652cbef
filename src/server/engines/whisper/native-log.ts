import { setTimeout as sleep } from 'node:timers/promises';
import type { WhisperPackage } from './addon.ts';

/** Of what whisper.cpp calls errors, those after which there is no result; an odd sign in a hot word is none. */
const FATAL = /fail|memory|device lost/i;

/** What whisper.cpp says of itself, which is the only place where it says on what it computes, and that it failed. */
export class NativeLog {
  /** A package has one listener as long as it lives: to put another in its place while it computes would crash it. */
  static readonly #logs = new WeakMap<WhisperPackage, NativeLog>();
  #text = '';
  readonly #onError = new Set<(text: string) => void>();

  private constructor(native: WhisperPackage) {
    native.WhisperContext.toggleNativeLog(true, (level, text) => {
      if (level === 'error' && FATAL.test(text)) for (const tell of this.#onError) tell(text.trim());
      this.#text = (this.#text + text).slice(-100_000);
    });
  }

  /** The log of a package. */
  static of(native: WhisperPackage): NativeLog {
    let log = NativeLog.#logs.get(native);
    if (!log) NativeLog.#logs.set(native, (log = new NativeLog(native)));
    return log;
  }

  /** The last of what was said once `pattern` is in it, or what there is after two seconds: lines come a little late. */
  async having(pattern: RegExp): Promise<string> {
    for (let i = 0; i < 400 && !pattern.test(this.#text); i++) await sleep(5);
    return this.#text;
  }

  /** Rejects when an error is logged while `job` runs; else gives what `job` gives. */
  async orError<T>(job: Promise<T>): Promise<T> {
    let tell = (_text: string) => {};
    const failed = new Promise<never>((_, reject) => {
      tell = (text) => reject(new Error(text));
    });
    this.#onError.add(tell);
    try {
      return await Promise.race([job, failed]);
    } finally {
      this.#onError.delete(tell);
    }
  }
}
