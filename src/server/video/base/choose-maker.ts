import type { DebianSettings } from '../../models/debian-packages.ts';
import { VideoError, type VideoWorker } from '../contracts.ts';
import type { LoopMaker } from '../loops/loop-maker.ts';
import { closedMaker } from './closed-maker.ts';
import { stillMaker } from './still-maker.ts';
import { WAN22_FPS } from './wan22/presets.ts';
import type { Wan22Settings } from './wan22/settings.ts';
import type { Wan22Log, Wan22World } from './wan22/world.ts';

/** The settings `video.baseClips`. */
export type BaseClipSettings =
  | { readonly engine: 'auto' | 'still' }
  | { readonly engine: 'video'; readonly file: string }
  | ({ readonly engine: 'wan22' } & Wan22Settings)
  | { readonly engine: 'openai-videos'; readonly baseUrl: string; readonly model: string; readonly apiKey: string };

/** What makers use of the world around them. */
export type MakerWorld = {
  readonly worker: Pick<VideoWorker, 'still'>;
  /** Where ffmpeg is to be had. */
  readonly debian?: DebianSettings;
  /** Looks at the machine and its models; asked for by `wan22` only. */
  readonly wan22?: () => Promise<Wan22World>;
  readonly log?: Wan22Log;
};

/** Long enough that breathing and blinking do not look like a clockwork. */
const STILL_SECONDS = 6;
const USER_VIDEO_SECONDS = 10;
/** What servers of `/v1/videos` make as a rule. */
const SERVER_SECONDS = 5;

/**
 * The makers of base clips, from the quickest to the best: the picture alone is brought to life first, and is shown until
 * the clips of the maker that the settings name are there. Whoever opens them closes them.
 */
export async function chooseBaseMaker(settings: BaseClipSettings, world: MakerWorld): Promise<readonly LoopMaker[]> {
  const { debian = {} } = world;
  const still: LoopMaker = { maker: stillMaker(world.worker), seconds: STILL_SECONDS, readsWords: false };
  switch (settings.engine) {
    case 'auto':
    case 'still':
      return [still];
    case 'video': {
      const { createUserVideo } = await import('./user-video.ts');
      const maker = createUserVideo({ file: settings.file, debian });
      return [still, { maker, seconds: USER_VIDEO_SECONDS, readsWords: false }];
    }
    case 'wan22': {
      const { createWan22 } = await import('./wan22/wan22.ts');
      if (!world.wan22) throw new VideoError('Wan2.2 is not known here; set video.baseClips.engine to still.');
      const wan22 = createWan22(settings, await world.wan22(), world.log);
      const maker = closedMaker(wan22, debian);
      const seconds = settings.frames / WAN22_FPS;
      return [still, { maker, seconds, readsWords: true, release: () => wan22.release() }];
    }
    case 'openai-videos': {
      const { createOpenAiVideos } = await import('./openai-videos.ts');
      const maker = closedMaker(createOpenAiVideos(settings), debian);
      return [still, { maker, seconds: SERVER_SECONDS, readsWords: true }];
    }
  }
}
