import type { Config } from './config.ts';
import type { Logger } from './log.ts';
import { probe } from './machine/probe.ts';
import { ModelStore } from './models/store.ts';
import type { MakerWorld } from './video/base/choose-maker.ts';
import type { VideoWorker } from './video/contracts.ts';

/** What makers of base clips find on this machine; it is looked at only for those that need a card. */
export function makerWorld(
  { cache, models }: Config,
  worker: Pick<VideoWorker, 'still'>,
  log: Logger,
  signal: AbortSignal,
): MakerWorld {
  return {
    worker,
    debian: { cacheDir: cache.folder, offline: models.offline },
    wan22: async () => {
      const look = (during: AbortSignal) => probe({ modelsFolder: models.folder }, during);
      const store = new ModelStore({ ...models, log: (line) => log.info(line) });
      return { machine: await look(signal), look, store };
    },
    log,
  };
}
