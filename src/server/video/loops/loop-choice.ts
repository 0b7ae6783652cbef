import type { LoopName } from '../../../protocol/messages.ts';
import { type Avatar, type BaseClipJob, LOOPS } from '../contracts.ts';
import type { LoopMaker } from './loop-maker.ts';
import { loopKey } from './loop-shelf.ts';
import { type LoopPrompts, promptOf } from './prompts.ts';

/** What a job says of the clip that it wants. */
export type JobWords = Pick<BaseClipJob, 'loop' | 'prompt' | 'negativePrompt' | 'seconds'>;

/** Which clips an avatar wants of each maker, and which of those that are there it shows. Levels count the makers, the best last. */
export class LoopChoice {
  readonly #avatar: Avatar;
  readonly #makers: readonly LoopMaker[];
  readonly #prompts: LoopPrompts;
  readonly #isThere: (key: string) => boolean;

  constructor(
    avatar: Avatar,
    { makers, prompts }: { readonly makers: readonly LoopMaker[]; readonly prompts: LoopPrompts },
    isThere: (key: string) => boolean,
  ) {
    this.#avatar = avatar;
    this.#makers = makers;
    this.#prompts = prompts;
    this.#isThere = isThere;
  }

  /** The loops that are there, each as the best maker made it. */
  get shown(): readonly (readonly [loop: LoopName, key: string])[] {
    return LOOPS.flatMap((loop) => {
      const level = this.levelOf(loop);
      return level < 0 ? [] : [[loop, this.keyOf(level, loop)] as const];
    });
  }

  /** The level of the best clip of `loop` that is there, or of which `holds` is true; -1 for none. */
  levelOf(loop: LoopName, holds = this.#isThere): number {
    return this.#makers.findLastIndex((_, level) => holds(this.keyOf(level, loop)));
  }

  /** The key of the clip that a maker makes of `loop`. */
  keyOf(level: number, loop: LoopName): string {
    return loopKey(this.#avatar.id, this.#makers[level]!.maker.version, this.wordsOf(level, loop));
  }

  /** What a maker is asked for. */
  wordsOf(level: number, loop: LoopName): JobWords {
    const { seconds, readsWords } = this.#makers[level]!;
    const { negative } = this.#prompts;
    const words = readsWords
      ? { prompt: promptOf(loop, this.#prompts), negativePrompt: negative }
      : { prompt: '', negativePrompt: '' };
    return { loop, ...words, seconds };
  }

  /** The whole job. */
  jobOf(words: JobWords, file: string): BaseClipJob {
    const { pictureFile, face } = this.#avatar;
    return { ...words, pictureFile, face, file };
  }
}
