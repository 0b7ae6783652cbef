import type { Config } from './config.ts';
import type { Logger } from './log.ts';
import { probe } from './machine/probe.ts';
import { ModelStore } from './models/store.ts';
import { reservedForVideo } from './reserved-for-video.ts';
import type { MakerWorld } from './video/base/choose-maker.ts';
import type { VideoWorker } from './video/contracts.ts';

/** What makers of base clips find on this machine; it is looked at only for those that need a card. */
export function makerWorld(
  config: Config,
  worker: Pick<VideoWorker, 'still'>,
  log: Logger,
  signal: AbortSignal,
): MakerWorld {
  const { cache, models } = config;
  return {
    worker,
    debian: { cacheDir: cache.folder, offline: models.offline },
    wan22: async () => {
      const look = (during: AbortSignal) => probe({ modelsFolder: models.folder }, during);
      const store = new ModelStore({ ...models, log: (line) => log.info(line) });
      const found = await look(signal);
      // What paints mouths is being loaded at this moment, and stays on the card.
      const taken = await reservedForVideo(config, found.gpus, signal);
      const gpus = found.gpus.map((gpu) =>
        gpu === taken?.card ? { ...gpu, freeBytes: Math.max(0, gpu.freeBytes - taken.bytes) } : gpu,
      );
      return { machine: { ...found, gpus }, look, store };
    },
    log,
  };
}
