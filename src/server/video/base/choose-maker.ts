import type { VideoWorker } from '../contracts.ts';
import type { LoopMaker } from '../loops/loop-maker.ts';
import { stillMaker } from './still-maker.ts';

/** The settings `video.baseClips`. */
export type BaseClipSettings = { readonly engine: 'auto' | 'still' };

/** What makers use of the process that they run in. */
export type MakerWorld = {
  readonly worker: VideoWorker;
};

/**
 * The makers of base clips, from the quickest to the best: the picture alone is brought to life first, and is shown until
 * the clips of the maker that the settings name are there. Whoever opens them closes them.
 */
export async function chooseBaseMaker(settings: BaseClipSettings, world: MakerWorld): Promise<readonly LoopMaker[]> {
  const still: LoopMaker = { maker: stillMaker(world.worker), seconds: 6 };
  switch (settings.engine) {
    case 'auto':
    case 'still':
      return [still];
  }
}
