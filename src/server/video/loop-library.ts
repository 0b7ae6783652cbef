import type { AvatarView } from '../../protocol/messages.ts';
import { whenAborted } from '../async/when-aborted.ts';
import { PREPARED_SIZE } from './base/prepared.ts';
import { type Clock, systemClock } from './clock.ts';
import { type Avatar, VideoError } from './contracts.ts';
import { Latest } from './latest.ts';
import { AvatarLoops } from './loops/avatar-loops.ts';
import { LentFolders } from './loops/lent-folders.ts';
import type { LoopTools } from './loops/loop-tools.ts';
import { ownBody } from './loops/own-body.ts';
import { Turnstile } from './loops/turnstile.ts';
import type { Body, SpeakingBodies } from './speaking-bodies.ts';

/** What base clips are made with, and whether replies get some of their own. */
export type LoopLibraryOptions = Omit<LoopTools, 'turnstile' | 'lent'> & {
  /** `reflective`: replies get bodies of their own where there is time. */
  readonly mode: 'library' | 'reflective';
  readonly clock?: Clock;
};

/** The avatar that is shown, and until when: `over` aborts when another one is chosen. */
type Choice = { readonly loops: AvatarLoops; readonly over: AbortController };

/** The base clips of the avatar that is shown: made in the background, once, and lent to the replies that speak them. */
export class LoopLibrary implements SpeakingBodies, AsyncDisposable {
  readonly own?: NonNullable<SpeakingBodies['own']>;
  readonly #tools: LoopTools;
  readonly #view = new Latest<AvatarView | undefined>(undefined);
  readonly #avatars = new Map<string, AvatarLoops>();
  /** Addresses that were given out → files. */
  readonly #files = new Map<string, string>();
  #choice: Choice | undefined;
  #work: Promise<void> = Promise.resolve();
  #working = false;
  #closed = false;
  #next = 0;

  constructor({ mode, clock = systemClock, ...tools }: LoopLibraryOptions) {
    this.#tools = { ...tools, turnstile: new Turnstile(), lent: new LentFolders() };
    // A maker that reads no words would make the same body again.
    if (mode === 'reflective' && tools.makers.at(-1)?.readsWords) {
      this.own = async (reply, onProgress, signal) => {
        const folder =
          this.#choice && (await ownBody(this.#choice.loops, this.#tools, clock, reply, onProgress, signal));
        return folder === undefined ? undefined : this.#lend(folder);
      };
    }
  }

  /** The face that is shown; undefined before the first `choose`. */
  get view(): AvatarView | undefined {
    return this.#view.value;
  }

  /** `view` whenever it changes, only the newest of them, until `signal` aborts; any number may read. */
  async *changes(signal: AbortSignal): AsyncGenerator<AvatarView, void, undefined> {
    for await (const view of this.#view.changes(signal)) if (view) yield view;
  }

  /** Removes what an earlier run has left decoded of `avatars`, which takes 200 MB each; to be called before `choose`. */
  async tidy(avatars: readonly Avatar[]): Promise<void> {
    for (const avatar of avatars) await new AvatarLoops(avatar, this.#tools, () => {}).tidy();
  }

  /** The file behind an address of `view`'s loops, such as `/avatars/1f…/loops/3c….mp4`; undefined for any other. */
  fileOf(address: string): string | undefined {
    return this.#files.get(address);
  }

  /**
   * Shows `avatar`, and makes in the background what is missing of its base clips, or failed before; what was being made
   * for another one is given up. Resolves when the clips that are there already are in `view`.
   */
  async choose(avatar: Avatar): Promise<void> {
    this.#rename(avatar);
    if (this.#closed || (this.#choice?.loops.avatar.id === avatar.id && this.#working)) return;
    this.#choice?.over.abort();
    const last = this.#choice?.loops;
    const loops = this.#avatars.get(avatar.id) ?? new AvatarLoops(avatar, this.#tools, () => this.#onChange(loops));
    this.#avatars.set(avatar.id, loops);
    const over = new AbortController();
    this.#choice = { loops, over };
    // The one before may be chosen again at once; others wait on the disk in their small form.
    for (const other of this.#avatars.values()) if (other !== loops && other !== last) other.rest();
    this.#onChange(loops);
    this.#working = true;
    const looked = loops.look().catch(() => {});
    this.#work = Promise.all([looked, this.#work]).then(async () => {
      // Without it the first reply makes it, or says why it cannot.
      await loops.makePicture(over.signal).catch(() => {});
      await loops.makeAll(over.signal);
      if (this.#choice?.over === over) this.#working = false;
    });
    await looked;
  }

  ready(): Body | undefined {
    const bodies = this.#choice?.loops.bodies ?? [];
    const folder = bodies[this.#next++ % Math.max(1, bodies.length)];
    return folder === undefined ? undefined : this.#lend(folder);
  }

  async first(signal: AbortSignal): Promise<Body> {
    for (;;) {
      signal.throwIfAborted();
      const body = this.ready();
      if (body) return body;
      if (!this.#choice) throw new VideoError('No avatar is chosen; choose one in the page, or set video.avatar.');
      const { loops, over } = this.#choice;
      const made = loops.makePicture(over.signal).catch((error) => {
        if (!over.signal.aborted) throw error;
      });
      await Promise.race([made, whenAborted(signal)]);
    }
  }

  /** Ends all work; finished clips stay. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#choice?.over.abort();
    this.#choice = undefined;
    await this.#work;
  }

  /** The same picture may have been added under another name. */
  #rename({ id, name }: Avatar): void {
    const loops = this.#avatars.get(id);
    if (!loops || loops.name === name) return;
    loops.name = name;
    this.#onChange(loops);
  }

  #lend(folder: string): Body {
    return { folder, width: PREPARED_SIZE, height: PREPARED_SIZE, giveBack: this.#tools.lent.lend(folder) };
  }

  #onChange(loops: AvatarLoops): void {
    for (const [address, file] of loops.files) this.#files.set(address, file);
    if (this.#choice?.loops === loops) this.#view.set(loops.view);
  }
}
