import { element } from './dom.ts';

/** What the page knows that replaying needs. */
export type ReplayHandlers = {
  /** Whether nobody talks now, so that a reply may be played again. */
  quiet(): boolean;
  onRefused(): void;
};

/** Plays a finished clip again, with its sound, in a dialog; it gives way as soon as anybody talks. */
export class Replay {
  readonly #dialog = element<HTMLDialogElement>('replay');
  readonly #video = element<HTMLVideoElement>('replay-video');
  readonly #handlers: ReplayHandlers;

  /** Listens for the buttons with `data-clip` in `list`. */
  constructor(list: HTMLElement, handlers: ReplayHandlers) {
    this.#handlers = handlers;
    list.addEventListener('click', (event) => {
      const button = event.target instanceof Element && event.target.closest<HTMLElement>('[data-clip]');
      if (button) this.#play(button.dataset.clip!);
    });
    this.#dialog.addEventListener('close', () => this.#unload());
    this.#dialog.addEventListener('click', (event) => {
      if (event.target === this.#dialog) this.#dialog.close();
    });
    this.#video.addEventListener('error', () => {
      element('replay-problem').hidden = !this.#video.hasAttribute('src');
    });
  }

  /** From 0 to 1, as the speaker's. */
  set volume(volume: number) {
    this.#video.volume = volume ** 2;
  }

  /** Puts its sound out by the device with this id; empty for the system's choice. */
  set sink(id: string) {
    const video = this.#video as HTMLVideoElement & { setSinkId?(id: string): Promise<void> };
    video.setSinkId?.(id).catch(() => {});
  }

  /** Somebody talks: stops at once. */
  stop(): void {
    if (this.#dialog.open) this.#dialog.close();
  }

  #play(url: string): void {
    if (!this.#handlers.quiet()) return this.#handlers.onRefused();
    element('replay-problem').hidden = true;
    this.#video.src = url;
    this.#dialog.showModal();
    this.#video.play().catch(() => {});
  }

  #unload(): void {
    this.#video.pause();
    this.#video.removeAttribute('src');
    this.#video.load();
  }
}
