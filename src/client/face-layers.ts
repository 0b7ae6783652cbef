import type { AvatarView } from '../protocol/messages.ts';
import { element } from './dom.ts';
import { chooseLoops, type Loop } from './loop-choice.ts';
import type { Phase } from './orb.ts';

/** How long one video takes to give way to another; the style sheet has it too. */
const FADE_MS = 150;
/** Where no end of the fade is told, as when it was never drawn. */
const LONGEST_FADE_MS = 600;

/** A video element for loops; `loop` is what was put into it. */
type Slot = { readonly video: HTMLVideoElement; loop: Loop | undefined; decoded: boolean };

/** The face while it has no clip: its picture, and over it the loop of the conversation's state, never black between them. */
export class FaceLayers {
  readonly #picture = element<HTMLImageElement>('face-picture');
  readonly #still = matchMedia('(prefers-reduced-motion: reduce)');
  #front: Slot = slot('loop-a');
  #back: Slot = slot('loop-b');
  #avatar: AvatarView | undefined;
  #phase: Phase = 'idle';
  #fade: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    for (const each of [this.#front, this.#back]) {
      each.video.addEventListener('loadeddata', () => this.#whenDecoded(each));
      each.video.addEventListener('transitionend', () => each === this.#front && this.#finishFade());
      each.video.addEventListener('error', () => this.#give(each, undefined));
    }
    document.addEventListener('visibilitychange', () => this.#run());
    this.#still.addEventListener('change', () => this.#update());
  }

  /** Shows this avatar, or no longer any. */
  show(avatar: AvatarView | undefined): void {
    const changed = avatar?.picture !== this.#avatar?.picture;
    this.#avatar = avatar;
    if (!changed) return this.#update();
    this.#finishFade();
    for (const each of [this.#front, this.#back]) this.#give(each, undefined);
    if (avatar) this.#picture.src = avatar.picture;
    this.#picture.alt = avatar?.name ?? '';
    this.#update();
  }

  /** The conversation is in this phase. */
  set phase(phase: Phase) {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#update();
  }

  /** The loop that is on top, for the panel of figures. */
  get shown(): string {
    return this.#front.loop && this.#isOn(this.#front) ? this.#front.loop.name : 'picture';
  }

  #update(): void {
    const { now, next } = chooseLoops(this.#phase, this.#still.matches ? {} : (this.#avatar?.loops ?? {}));
    if (!now) return this.#clear();
    if (this.#fade !== undefined) return;
    if (this.#front.loop?.url === now.url) {
      name(this.#front, now);
      if (this.#isOn(this.#front)) return this.#prepare(next);
      if (this.#front.decoded) this.#appear();
      return;
    }
    if (this.#back.loop?.url !== now.url) this.#give(this.#back, now);
    name(this.#back, now);
    if (this.#back.decoded) this.#swap();
  }

  /** Over the picture. */
  #appear(): void {
    this.#front.video.classList.add('over', 'on');
    this.#run();
    this.#startFade(() => {});
  }

  /** Over the loop that is shown, which stays beneath until the other one covers it. */
  #swap(): void {
    [this.#front, this.#back] = [this.#back, this.#front];
    const old = this.#back;
    old.video.classList.remove('over');
    this.#front.video.classList.add('over', 'on');
    this.#run();
    this.#startFade(() => {
      old.video.classList.remove('on');
      old.video.pause();
    });
  }

  #startFade(then: () => void): void {
    const end = () => {
      this.#fade = undefined;
      then();
      this.#update();
    };
    this.#endFade = end;
    // Only what is fully opaque covers what is beneath; a busy browser may begin late.
    this.#fade = setTimeout(() => this.#finishFade(), LONGEST_FADE_MS);
  }

  #endFade: () => void = () => {};

  #finishFade(): void {
    if (this.#fade === undefined) return;
    clearTimeout(this.#fade);
    this.#endFade();
  }

  #clear(): void {
    this.#finishFade();
    for (const each of [this.#front, this.#back]) {
      each.video.classList.remove('on', 'over');
      each.video.pause();
    }
  }

  #prepare(next: Loop | undefined): void {
    if (!next || this.#back.loop?.url === next.url) return;
    this.#give(this.#back, next);
  }

  #give(to: Slot, loop: Loop | undefined): void {
    to.loop = loop;
    to.decoded = false;
    to.video.classList.remove('on', 'over');
    if (loop) {
      name(to, loop);
      to.video.src = loop.url;
    } else if (to.video.hasAttribute('src')) {
      to.video.removeAttribute('src');
      to.video.load();
    }
  }

  /** What has data may still have no picture: the loop takes over with its first frame on the screen. */
  #whenDecoded(of: Slot): void {
    const url = of.loop?.url;
    const done = () => {
      if (url === undefined || of.loop?.url !== url || of.decoded) return;
      of.decoded = true;
      this.#update();
    };
    if ('requestVideoFrameCallback' in of.video) of.video.requestVideoFrameCallback(done);
    // An element that is paused and cannot be seen is not drawn by every browser.
    setTimeout(done, FADE_MS);
  }

  #isOn(each: Slot): boolean {
    return each.video.classList.contains('on');
  }

  #run(): void {
    for (const { video } of [this.#front, this.#back]) {
      if (document.hidden || !video.classList.contains('on')) video.pause();
      else video.play().catch(() => {});
    }
  }
}

/** One video may stand in for several states. */
function name(to: Slot, loop: Loop): void {
  to.loop = loop;
  to.video.dataset.loop = loop.name;
}

function slot(id: string): Slot {
  return { video: element<HTMLVideoElement>(id), loop: undefined, decoded: false };
}
