import { join } from 'node:path';
import type { AvatarView } from '../../../protocol/messages.ts';
import type { VideoWorker } from '../contracts.ts';
import { type Avatar, type BaseClipFacts, type BaseClipJob, LOOPS, type LoopName, VideoError } from '../contracts.ts';
import type { Quiet } from '../quiet.ts';
import type { LentFolders } from './lent-folders.ts';
import type { LoopMaker } from './loop-maker.ts';
import { isReplyKey, LoopShelf, loopKey, replyKey } from './loop-shelf.ts';
import { makeInQuiet } from './make-in-quiet.ts';
import { type LoopPrompts, promptOf } from './prompts.ts';
import type { Turnstile } from './turnstile.ts';

/** What the base clips of any avatar are made with. */
export type LoopTools = {
  readonly worker: Pick<VideoWorker, 'prepare'>;
  /** From the quickest to the best: each one's clips are shown until the next one's are there. */
  readonly makers: readonly LoopMaker[];
  readonly prompts: LoopPrompts;
  readonly quiet: Quiet;
  /** How long nobody must have talked before a heavy maker begins. */
  readonly quietSeconds: number;
  /** Makers serve one at a time. */
  readonly turnstile: Turnstile;
  readonly lent: LentFolders;
};

/** The order in which loops are made: what is seen first, and a body that moves, come first. */
const ORDER: readonly LoopName[] = ['idle', 'speaking-1', 'listening', 'thinking', 'speaking-2'];

/** Only the bodies that speak are decoded: raw frames take 20 MB a second. */
const SPEAKING: readonly LoopName[] = ['speaking-1', 'speaking-2'];

/** The picture alone, prepared as a clip of one frame: a body for the first reply. */
const PICTURE = 'picture';

/** Bodies made for single replies that are kept for later ones. */
const KEEP_REPLY_BODIES = 3;

/** Clips made with other settings that are kept, in case these come back; about 1 MB each. */
const KEEP_OTHERS = 15;

/** What a heavy maker waits for at most, when talk has interrupted it again and again. */
const MAX_QUIET_SECONDS = 600;

/** How much longer a heavy maker takes, about, for the share that is done. */
const HEAVY_WEIGHT = 10;

/** The base clips of one avatar, and the work of making them. */
export class AvatarLoops {
  readonly avatar: Avatar;
  readonly #tools: LoopTools;
  readonly #shelf: LoopShelf;
  readonly #onChange: () => void;
  #picture: Promise<void> | undefined;
  #making: number | undefined;
  #problem: string | undefined;

  constructor(avatar: Avatar, tools: LoopTools, onChange: () => void) {
    this.avatar = avatar;
    this.#tools = tools;
    this.#shelf = new LoopShelf(join(avatar.folder, 'loops'));
    this.#onChange = onChange;
  }

  /** Removes the decoded forms, which are large and soon made again. */
  rest(): void {
    for (const key of this.#shelf.keys.filter((key) => key !== PICTURE && this.#shelf.isPrepared(key))) {
      this.#remove(key, true);
    }
  }

  /** Finds what was made before. */
  async look(): Promise<void> {
    await this.#shelf.look();
    this.#onChange();
  }

  /** As the page is told of it. */
  get view(): AvatarView {
    const { id, name } = this.avatar;
    const loops = Object.fromEntries(this.#shown().map(([loop, key]) => [loop, this.#addressOf(key)]));
    const view = { id, name, picture: `/avatars/${id}/picture.png`, loops };
    const making = this.#making === undefined ? {} : { making: this.#making };
    return { ...view, ...making, ...(this.#problem === undefined ? {} : { problem: this.#problem }) };
  }

  /** Addresses of `view` and the files behind them. */
  get files(): readonly (readonly [address: string, file: string])[] {
    return this.#shown().map(([, key]) => [this.#addressOf(key), this.#shelf.fileOf(key)] as const);
  }

  /** Folders of the prepared clips that can speak, the moving ones if there are any. */
  get bodies(): readonly string[] {
    const loops = this.#shown().flatMap(([loop, key]) => (SPEAKING.includes(loop) ? [key] : []));
    const moving = [...loops, ...this.#shelf.keys.filter(isReplyKey)].filter((key) => this.#shelf.isPrepared(key));
    const keys = moving.length > 0 || !this.#shelf.isPrepared(PICTURE) ? moving : [PICTURE];
    return keys.map((key) => this.#shelf.preparedOf(key));
  }

  /** Makes a body of the picture alone, unless there is one; rejects with a `VideoError` or `signal`'s reason. */
  async makePicture(signal: AbortSignal): Promise<void> {
    const { pictureFile, face } = this.avatar;
    this.#picture ??= this.#prepare(PICTURE, pictureFile, { faces: [face] }, () => {}, signal).finally(() => {
      this.#picture = undefined;
    });
    await this.#picture;
  }

  /** Makes all that is missing, from the quickest maker's to the best's; never rejects, ends early when `signal` aborts. */
  async makeAll(signal: AbortSignal): Promise<void> {
    const { makers } = this.#tools;
    const missing = makers.flatMap(({ maker }, level) =>
      ORDER.filter((loop) => this.#levelOf(loop) < level).map(() => weightOf(maker)),
    );
    const all = missing.reduce((sum, weight) => sum + weight, 0);
    let done = 0;
    const tell = (share: number | undefined) => {
      if (share !== undefined && this.#making !== undefined && Math.abs(share - this.#making) < 0.02) return;
      this.#making = share;
      this.#onChange();
    };
    this.#problem = undefined;
    tell(all > 0 ? 0 : undefined);
    try {
      for (const [level, { maker }] of makers.entries()) {
        // One failure may be an accident; two in a row are not.
        for (let failures = 0, i = 0; i < ORDER.length && failures < 2 && !signal.aborted; i++) {
          const loop = ORDER[i]!;
          const isMissing = this.#levelOf(loop) < level;
          const weight = isMissing ? weightOf(maker) : 0;
          try {
            if (isMissing) await this.#make(level, loop, (share) => tell((done + weight * share) / all), signal);
            await this.#prepareLoop(loop, signal);
            failures = 0;
          } catch (error) {
            if (signal.aborted) return;
            failures++;
            this.#problem = sentenceOf(error);
          }
          done += weight;
          this.#onChange();
        }
      }
      if (this.#problem === undefined && !signal.aborted) await this.#removeOld();
    } catch (error) {
      this.#problem = sentenceOf(error);
    } finally {
      tell(undefined);
    }
  }

  /**
   * Makes a body for one reply by the best maker and gives its prepared folder; undefined when the makers have other work,
   * or talk began.
   */
  async makeReplyBody(
    prompt: string,
    onProgress: (done: number) => void,
    signal: AbortSignal,
  ): Promise<string | undefined> {
    const { makers, prompts, quiet, turnstile } = this.#tools;
    const best = makers.at(-1);
    if (!best || turnstile.busy) return undefined;
    const key = replyKey();
    const job = { loop: 'reply', prompt, negativePrompt: prompts.negative, seconds: best.seconds } as const;
    const make = (file: string) => makeInQuiet(best, this.#jobOf(job, file), quiet, onProgress, signal);
    if (!(await turnstile.pass(() => this.#shelf.add(key, make)))) return undefined;
    await this.#prepare(key, this.#shelf.fileOf(key), await this.#shelf.factsOf(key), () => {}, signal);
    const older = await this.#shelf.newestFirst(this.#shelf.keys.filter(isReplyKey));
    for (const old of older.slice(KEEP_REPLY_BODIES)) this.#remove(old);
    return this.#shelf.preparedOf(key);
  }

  /** Makes one loop, when its maker may work. */
  async #make(level: number, loop: LoopName, onProgress: (done: number) => void, signal: AbortSignal): Promise<void> {
    const { makers, quiet, quietSeconds, turnstile } = this.#tools;
    const source = makers[level]!;
    const { maker } = source;
    const job = this.#wanted(level, loop);
    const make = (file: string) => makeInQuiet(source, this.#jobOf(job, file), quiet, onProgress, signal);
    const key = loopKey(this.avatar.id, maker.version, job);
    // Each interruption cost the machine some minutes; it waits longer for the next quiet time.
    for (let seconds = quietSeconds; ; seconds = Math.min(MAX_QUIET_SECONDS, Math.max(10, 2 * seconds))) {
      if (maker.heavy) await quiet.whenQuiet(seconds, signal);
      if (await turnstile.pass(() => this.#shelf.add(key, make))) return;
    }
  }

  /** Prepares the clip that is shown of a loop that speaks. */
  async #prepareLoop(loop: LoopName, signal: AbortSignal): Promise<void> {
    const key = SPEAKING.includes(loop) ? this.#shown().find(([name]) => name === loop)?.[1] : undefined;
    if (key === undefined || this.#shelf.isPrepared(key)) return;
    await this.#prepare(key, this.#shelf.fileOf(key), await this.#shelf.factsOf(key), () => {}, signal);
  }

  async #prepare(
    key: string,
    file: string,
    facts: BaseClipFacts,
    onProgress: (done: number) => void,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#shelf.isPrepared(key)) return;
    for await (const done of this.#tools.worker.prepare(file, this.#shelf.preparedOf(key), facts, signal)) {
      onProgress(done);
    }
    signal.throwIfAborted();
    this.#shelf.prepared(key);
  }

  /** The loops that are there, each as the best maker made it. */
  #shown(): readonly (readonly [loop: LoopName, key: string])[] {
    return LOOPS.flatMap((loop) => {
      const level = this.#levelOf(loop);
      return level < 0 ? [] : [[loop, this.#keyOf(level, loop)] as const];
    });
  }

  /** Which is the best maker whose clip of `loop` is there: its place among the makers, -1 for none. */
  #levelOf(loop: LoopName): number {
    return this.#tools.makers.findLastIndex((_, level) => this.#shelf.has(this.#keyOf(level, loop)));
  }

  #keyOf(level: number, loop: LoopName): string {
    return loopKey(this.avatar.id, this.#tools.makers[level]!.maker.version, this.#wanted(level, loop));
  }

  #wanted(level: number, loop: LoopName): JobWords {
    const { makers, prompts } = this.#tools;
    const { seconds, readsWords } = makers[level]!;
    const words = readsWords ? [promptOf(loop, prompts), prompts.negative] : [];
    return { loop, prompt: words[0] ?? '', negativePrompt: words[1] ?? '', seconds };
  }

  #jobOf(words: JobWords, file: string): BaseClipJob {
    const { pictureFile, face } = this.avatar;
    return { ...words, pictureFile, face, file };
  }

  #addressOf(key: string): string {
    return `/avatars/${this.avatar.id}/loops/${key}.mp4`;
  }

  async #removeOld(): Promise<void> {
    const shown = this.#shown().map(([, key]) => key);
    const others = this.#shelf.keys.filter((key) => key !== PICTURE && !isReplyKey(key) && !shown.includes(key));
    for (const [age, key] of (await this.#shelf.newestFirst(others)).entries()) this.#remove(key, age < KEEP_OTHERS);
  }

  #remove(key: string, keepClip = false): void {
    this.#tools.lent.whenFree(this.#shelf.preparedOf(key), () => {
      const removed = keepClip ? this.#shelf.unprepare(key) : this.#shelf.remove(key);
      // What cannot be removed now is tried again after the next making.
      removed.catch(() => {});
    });
  }
}

type JobWords = Pick<BaseClipJob, 'loop' | 'prompt' | 'negativePrompt' | 'seconds'>;

const weightOf = ({ heavy }: { readonly heavy: boolean }) => (heavy ? HEAVY_WEIGHT : 1);

const sentenceOf = (error: unknown): string =>
  error instanceof VideoError ? error.message : `Base clips could not be made: ${(error as Error).message}`;
