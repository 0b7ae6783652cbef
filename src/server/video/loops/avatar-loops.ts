import { join } from 'node:path';
import type { AvatarView, LoopName } from '../../../protocol/messages.ts';
import { type Avatar, type BaseClipFacts, VideoError } from '../contracts.ts';
import { systemProblem } from '../system-problem.ts';
import { LoopChoice } from './loop-choice.ts';
import { isReplyKey, LoopShelf, replyKey } from './loop-shelf.ts';
import type { LoopTools } from './loop-tools.ts';
import { makeInQuiet } from './make-in-quiet.ts';

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
  /** What the avatar is called, which may change. */
  name: string;
  readonly #tools: LoopTools;
  readonly #shelf: LoopShelf;
  readonly #choice: LoopChoice;
  readonly #onChange: () => void;
  /** Folders of prepared clips that were made ready for the lip-sync in this run. */
  readonly #ready = new Set<string>();
  #picture: Promise<void> | undefined;
  #making: number | undefined;
  #problem: string | undefined;

  constructor(avatar: Avatar, tools: LoopTools, onChange: () => void) {
    this.avatar = avatar;
    this.name = avatar.name;
    this.#tools = tools;
    this.#shelf = new LoopShelf(join(avatar.folder, 'loops'));
    this.#choice = new LoopChoice(avatar, tools, (key) => this.#shelf.has(key));
    this.#onChange = onChange;
  }

  /** Removes the decoded forms, which are large and soon made again. */
  rest(): void {
    for (const key of this.#shelf.keys.filter((key) => key !== PICTURE && this.#shelf.isPrepared(key))) {
      this.#remove(key, true);
    }
  }

  /** Removes the decoded forms that an earlier run left. */
  async tidy(): Promise<void> {
    await this.#shelf.look();
    this.rest();
  }

  /** Finds what was made before. */
  async look(): Promise<void> {
    await this.#shelf.look();
    this.#onChange();
  }

  /** As the page is told of it. */
  get view(): AvatarView {
    const { name } = this;
    const { id } = this.avatar;
    const loops = Object.fromEntries(this.#choice.shown.map(([loop, key]) => [loop, this.#addressOf(key)]));
    const view = { id, name, picture: `/avatars/${id}/picture.png`, loops };
    const making = this.#making === undefined ? {} : { making: this.#making };
    return { ...view, ...making, ...(this.#problem === undefined ? {} : { problem: this.#problem }) };
  }

  /** Addresses of `view` and the files behind them. */
  get files(): readonly (readonly [address: string, file: string])[] {
    return this.#choice.shown.map(([, key]) => [this.#addressOf(key), this.#shelf.fileOf(key)] as const);
  }

  /** Folders of the prepared clips that can speak, the moving ones if there are any. */
  get bodies(): readonly string[] {
    const isPrepared = (key: string) => this.#shelf.isPrepared(key);
    // Until a better one is prepared, or if that cannot be, the one before does.
    const levels = SPEAKING.map((loop) => [this.#choice.levelOf(loop, isPrepared), loop] as const);
    const loops = levels.filter(([level]) => level >= 0).map(([level, loop]) => this.#choice.keyOf(level, loop));
    const moving = [...loops, ...this.#shelf.keys.filter((key) => isReplyKey(key) && isPrepared(key))];
    const keys = moving.length > 0 || !this.#shelf.isPrepared(PICTURE) ? moving : [PICTURE];
    return keys.map((key) => this.#shelf.preparedOf(key));
  }

  /** Makes a body of the picture alone, unless there is one; rejects with a `VideoError` or `signal`'s reason. */
  async makePicture(signal: AbortSignal): Promise<void> {
    const { pictureFile, face } = this.avatar;
    // What is under way may end with an older choice of this avatar, which was given up.
    await this.#picture?.catch(() => {});
    this.#picture ??= this.#prepare(PICTURE, pictureFile, { faces: [face] }, signal).finally(() => {
      this.#picture = undefined;
    });
    await this.#picture;
  }

  /** Makes all that is missing, from the quickest maker's to the best's; never rejects, ends early when `signal` aborts. */
  async makeAll(signal: AbortSignal): Promise<void> {
    const { makers } = this.#tools;
    const missing = makers.flatMap(({ maker }, level) =>
      ORDER.filter((loop) => this.#choice.levelOf(loop) < level).map(() => weightOf(maker)),
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
          const isMissing = this.#choice.levelOf(loop) < level;
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
    const make = (file: string) => makeInQuiet(best, this.#choice.jobOf(job, file), quiet, onProgress, signal);
    if (!(await turnstile.pass(() => this.#shelf.add(key, make)))) return undefined;
    await this.#prepare(key, this.#shelf.fileOf(key), await this.#shelf.factsOf(key), signal);
    const older = await this.#shelf.newestFirst(this.#shelf.keys.filter(isReplyKey));
    for (const old of older.slice(KEEP_REPLY_BODIES)) this.#remove(old);
    return this.#shelf.preparedOf(key);
  }

  /** Makes one loop, when its maker may work. */
  async #make(level: number, loop: LoopName, onProgress: (done: number) => void, signal: AbortSignal): Promise<void> {
    const { makers, quiet, quietSeconds, turnstile } = this.#tools;
    const source = makers[level]!;
    const job = this.#choice.wordsOf(level, loop);
    const make = (file: string) => makeInQuiet(source, this.#choice.jobOf(job, file), quiet, onProgress, signal);
    const key = this.#choice.keyOf(level, loop);
    // Each interruption cost the machine some minutes; it waits longer for the next quiet time.
    for (let seconds = quietSeconds; ; seconds = Math.min(MAX_QUIET_SECONDS, Math.max(10, 2 * seconds))) {
      if (source.maker.heavy) await quiet.whenQuiet(seconds, signal);
      if (await turnstile.pass(() => this.#shelf.add(key, make))) return;
    }
  }

  /** Prepares the clip that is shown of a loop that speaks. */
  async #prepareLoop(loop: LoopName, signal: AbortSignal): Promise<void> {
    const key = SPEAKING.includes(loop) ? this.#choice.shown.find(([name]) => name === loop)?.[1] : undefined;
    if (key === undefined) return;
    await this.#prepare(key, this.#shelf.fileOf(key), await this.#shelf.factsOf(key), signal);
  }

  async #prepare(key: string, file: string, facts: BaseClipFacts, signal: AbortSignal): Promise<void> {
    const folder = this.#shelf.preparedOf(key);
    const { worker } = this.#tools;
    if (!this.#shelf.isPrepared(key)) {
      for await (const _ of worker.prepare(file, folder, facts, signal));
      signal.throwIfAborted();
      this.#shelf.prepared(key);
    } else if (!this.#ready.has(folder)) {
      // Prepared in an earlier run, whose lip-sync may have been another one.
      for await (const _ of worker.makeReady?.(folder, signal) ?? []);
      signal.throwIfAborted();
    }
    this.#ready.add(folder);
  }

  #addressOf(key: string): string {
    return `/avatars/${this.avatar.id}/loops/${key}.mp4`;
  }

  async #removeOld(): Promise<void> {
    const shown = this.#choice.shown.map(([, key]) => key);
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

const weightOf = ({ heavy }: { readonly heavy: boolean }) => (heavy ? HEAVY_WEIGHT : 1);

function sentenceOf(error: unknown): string {
  const { message } = error as Error;
  const sentence = systemProblem(message);
  const isSentence = error instanceof VideoError || sentence !== message;
  return isSentence ? sentence : `Base clips could not be made: ${message}`;
}
