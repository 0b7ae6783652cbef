import type { BaseClip, LipSync, Picture } from '../../contracts.ts';
import type { FaceSettings } from './prepare/prepare-face.ts';
import { hasFaces } from './prepare/prepared-faces.ts';

/**
 * A lip-sync whose replies do not wait until all faces of a base clip are prepared: where its folder has none of them, each is
 * prepared when it is painted. Somebody else calls `prepare`.
 */
export function unhurried(lipSync: LipSync, settings: FaceSettings & { readonly version: string }): LipSync {
  async function* frames(
    base: BaseClip,
    speech: AsyncIterable<Float32Array>,
    rate: number,
    signal: AbortSignal,
  ): AsyncGenerator<Picture, void, undefined> {
    const prepared = base.folder !== undefined && (await hasFaces(base.folder, settings));
    yield* lipSync.frames(prepared ? base : withoutFolder(base), speech, rate, signal);
  }
  return {
    ...(lipSync.prepare && { prepare: lipSync.prepare.bind(lipSync) }),
    frames,
    [Symbol.asyncDispose]: () => Promise.resolve(lipSync[Symbol.asyncDispose]()),
  };
}

const withoutFolder = (base: BaseClip): BaseClip => ({
  width: base.width,
  height: base.height,
  frames: base.frames,
  picture: (index) => base.picture(index),
  face: (index) => base.face(index),
});
