import type { MuseTalkNetworks } from './networks.ts';

/**
 * Networks that `start` opens when they are asked, and that are closed, with all the memory that they take, once nobody has asked
 * for `restMs`.
 */
export function restingNetworks(width: number, start: () => MuseTalkNetworks, restMs: number): MuseTalkNetworks {
  let running: MuseTalkNetworks | undefined;
  let ending: Promise<void> = Promise.resolve();
  let asked = 0;
  let timer: NodeJS.Timeout | undefined;
  const rest = () => {
    const going = running;
    running = undefined;
    // What is given up need not be told why it could not be closed well.
    if (going) ending = Promise.resolve(going[Symbol.asyncDispose]()).catch(() => {});
    return ending;
  };
  const use = async <T>(ask: (networks: MuseTalkNetworks) => Promise<T>): Promise<T> => {
    clearTimeout(timer);
    asked++;
    try {
      await ending;
      running ??= start();
      return await ask(running);
    } finally {
      if (--asked === 0) timer = setTimeout(() => void rest(), restMs).unref();
    }
  };
  return {
    width,
    speech: (mel, from, to, signal) => use((networks) => networks.speech(mel, from, to, signal)),
    pose: (picture, signal) => use((networks) => networks.pose(picture, signal)),
    parse: (picture, signal) => use((networks) => networks.parse(picture, signal)),
    latents: (face, signal) => use((networks) => networks.latents(face, signal)),
    faces: (states, latents, signal) => use((networks) => networks.faces(states, latents, signal)),
    async [Symbol.asyncDispose]() {
      clearTimeout(timer);
      await rest();
    },
  };
}
