import { type LipSync, VIDEO_FPS, VideoError } from '../contracts.ts';
import type { News } from '../news.ts';
import type { MuseTalkNetworks, MuseTalkSettings } from './musetalk/networks.ts';
import type { RemoteLipSyncSettings } from './remote-connection.ts';

/** Which lip-sync, and how it is set up: plain data, for another process. */
export type LipSyncSettings =
  | { readonly engine: 'visemes' }
  | ({ readonly engine: 'remote' } & RemoteLipSyncSettings)
  | ({ readonly engine: 'musetalk' } & MuseTalkSettings & {
        /** Of the converted networks, and the width of their speech states. */
        readonly version: string;
        readonly width: number;
      });

/** Whether a lip-sync is made ready at once and stays so, or rests when it has had nothing to do for a while. */
export type Readiness = 'stays' | 'rests';

/** How long networks that rest wait for more work before they give their memory back. */
const REST_MS = 120_000;

/** Opens a lip-sync; `say` hears what its user may want to know. */
export async function openLipSync(
  settings: LipSyncSettings,
  readiness: Readiness,
  say: (news: News) => void,
): Promise<LipSync> {
  switch (settings.engine) {
    case 'visemes':
      return (await import('./visemes.ts')).createVisemes();
    case 'remote':
      return (await import('./remote.ts')).createRemoteLipSync(settings);
    case 'musetalk': {
      const [{ createMuseTalk }, { startNetworks }] = await Promise.all([
        import('./musetalk.ts'),
        import('./musetalk/process/start-networks.ts'),
      ]);
      const start = () => startNetworks(settings, (text, repeats = false) => say({ level: 'info', text, repeats }));
      if (readiness === 'rests') {
        const { restingNetworks } = await import('./musetalk/resting-networks.ts');
        return createMuseTalk(restingNetworks(settings.width, start, REST_MS), settings);
      }
      const [{ createVisemes }, { onceReady }, { warmUp }, { unhurried }] = await Promise.all([
        import('./visemes.ts'),
        import('./musetalk/once-ready.ts'),
        import('./musetalk/warm-up.ts'),
        import('./musetalk/unhurried.ts'),
      ]);
      let networks: MuseTalkNetworks;
      try {
        networks = start();
      } catch (error) {
        // They were there when this lip-sync was chosen, and have been deleted since.
        if (!(error instanceof VideoError)) throw error;
        say({ level: 'warn', text: `${error.message} Mouth shapes from the sound (visemes) do.` });
        return createVisemes();
      }
      const museTalk = unhurried(createMuseTalk(networks, settings), settings);
      return onceReady(museTalk, createVisemes(), async (signal) => slowness(await warmUp(networks, signal)), say);
    }
  }
}

/** What to do where so few frames are painted in a second that no reply gets its face in time. */
const slowness = (framesPerSecond: number): string | undefined =>
  framesPerSecond >= VIDEO_FPS
    ? undefined
    : `MuseTalk paints ${framesPerSecond.toFixed(1)} frames a second here and talking takes ${VIDEO_FPS}: faces come late. Set video.lipSync.engine to visemes.`;
