/** Keeps the screen on while `wanted`; the browser drops the lock when the page is hidden, so it is asked for again. */
export class WakeLock {
  #wanted = false;
  #lock: WakeLockSentinel | undefined;

  constructor() {
    document.addEventListener('visibilitychange', () => this.#ask());
  }

  set wanted(wanted: boolean) {
    this.#wanted = wanted;
    if (wanted) this.#ask();
    else {
      this.#lock?.release().catch(() => {});
      this.#lock = undefined;
    }
  }

  async #ask(): Promise<void> {
    if (!this.#wanted || document.visibilityState !== 'visible' || !navigator.wakeLock) return;
    try {
      const lock = await navigator.wakeLock.request('screen');
      if (!this.#wanted) await lock.release();
      else this.#lock = lock;
    } catch {
      // A battery that is low may forbid it: then the screen dims as it always does.
    }
  }
}
