import { afterEach, describe, expect, it, vi } from 'vitest';
import { type BaseClip, type LipSync, type Picture, VideoError } from '../../../../src/server/video/contracts.ts';
import { onceReady } from '../../../../src/server/video/lip-sync/musetalk/once-ready.ts';
import { openFaces } from '../../../../src/server/video/lip-sync/musetalk/prepare/prepared-faces.ts';
import { restingNetworks } from '../../../../src/server/video/lip-sync/musetalk/resting-networks.ts';
import { unhurried } from '../../../../src/server/video/lip-sync/musetalk/unhurried.ts';
import { warmUp } from '../../../../src/server/video/lip-sync/musetalk/warm-up.ts';
import { openLipSync } from '../../../../src/server/video/lip-sync/open-lip-sync.ts';
import type { News } from '../../../../src/server/video/news.ts';
import { standInNetworks } from '../../../fixtures/musetalk/networks-stand-in.ts';
import { clipOf, networks } from '../../../fixtures/musetalk/prepare-world.ts';
import { scratchFolder, until } from '../../../fixtures/video.ts';

const never = new AbortController().signal;
async function* silence(): AsyncGenerator<Float32Array> {}

/** A lip-sync that gives one picture, by whose width it is known, and tells which clips it was given. */
function fakeLipSync(width: number): LipSync & { closed: boolean; clips: BaseClip[]; failure: Error | undefined } {
  const clips: BaseClip[] = [];
  const lipSync = {
    closed: false,
    failure: undefined as Error | undefined,
    clips,
    async *frames(base: BaseClip): AsyncGenerator<Picture> {
      clips.push(base);
      if (lipSync.failure) throw lipSync.failure;
      yield { width, height: 1, rgb: new Uint8Array(3 * width) };
    },
    async prepare() {},
    async [Symbol.asyncDispose]() {
      lipSync.closed = true;
    },
  };
  return lipSync;
}

const clip = { width: 1, height: 1, frames: 1 } as BaseClip;

async function speaker(lipSync: LipSync, base = clip): Promise<number> {
  for await (const { width } of lipSync.frames(base, silence(), 16_000, never)) return width;
  return 0;
}

describe('a lip-sync that takes long to be ready', () => {
  const [BEST, MEANWHILE] = [2, 1];
  const opened = (attempts: (() => Promise<unknown>)[], waitsMs: readonly number[] = [0, 0]) => {
    const said: News[] = [];
    const [best, meanwhile] = [fakeLipSync(BEST), fakeLipSync(MEANWHILE)];
    let tries = 0;
    const lipSync = onceReady(
      best,
      meanwhile,
      async () => {
        const warning = await attempts[tries++]!();
        return typeof warning === 'string' ? warning : undefined;
      },
      (news) => said.push(news),
      waitsMs,
    );
    return { lipSync, said, best, meanwhile, tries: () => tries };
  };

  it('leaves replies to the other one until then, and says when it is', async () => {
    let ready = () => {};
    const { lipSync, said } = opened([() => new Promise<void>((resolve) => (ready = resolve))]);
    expect(await speaker(lipSync)).toBe(MEANWHILE);
    ready();
    await until(() => said.length > 0);
    expect(await speaker(lipSync)).toBe(BEST);
    const text = expect.stringContaining('MuseTalk paints the mouths now');
    expect(said).toEqual([{ level: 'info', text, mouths: 'musetalk' }]);
  });

  it('warns of what its warm-up gives, and speaks all the same', async () => {
    const { lipSync, said } = opened([async () => 'It is slow; take another.']);
    await until(() => said.length === 2);
    expect(said[1]).toEqual({ level: 'warn', text: 'It is slow; take another.' });
    expect(await speaker(lipSync)).toBe(BEST);
  });

  it('is tried again where it could not be made ready, which is said once', async () => {
    const fail = () => Promise.reject(new VideoError('There is no CUDA; install it.'));
    const { lipSync, said } = opened([fail, fail, async () => {}]);
    await until(() => said.length === 2);
    expect(said[0]).toMatchObject({
      level: 'warn',
      text: expect.stringMatching(/^There is no CUDA; install it\. Mouth/),
    });
    expect(await speaker(lipSync)).toBe(BEST);
  });

  it('is left alone after as many failures as there are waits', async () => {
    const fail = () => Promise.reject(new Error('broken'));
    const { lipSync, said, tries } = opened([fail, fail, fail]);
    await until(() => tries() === 3);
    expect(said).toHaveLength(1);
    expect(said[0]!.text).toMatch(/^MuseTalk could not be made ready: broken/);
    expect(await speaker(lipSync)).toBe(MEANWHILE);
  });

  it('leaves replies to the other one again after it failed, until it is ready once more', async () => {
    let again = () => {};
    const { lipSync, said, best, tries } = opened([
      async () => {},
      () => new Promise<void>((resolve) => (again = resolve)),
    ]);
    await until(() => said.length === 1);
    expect(await speaker(lipSync)).toBe(BEST);
    best.failure = new VideoError('Its process died.');
    await expect(speaker(lipSync)).rejects.toThrow('Its process died.');
    expect(await speaker(lipSync)).toBe(MEANWHILE);
    expect(said[1]).toMatchObject({ text: expect.stringContaining('failed in a reply'), mouths: 'visemes' });
    best.failure = undefined;
    again();
    await until(() => said.length === 3);
    expect(said[2]).toMatchObject({ mouths: 'musetalk' });
    expect([await speaker(lipSync), tries()]).toEqual([BEST, 2]);
  });

  it('is not made ready again because a reply was cut', async () => {
    const { lipSync, said, best, tries } = opened([async () => {}]);
    await until(() => said.length === 1);
    best.failure = new Error('cut');
    const cut = lipSync.frames(clip, silence(), 16_000, AbortSignal.abort())[Symbol.asyncIterator]();
    await expect(cut.next()).rejects.toThrow('cut');
    best.failure = undefined;
    expect([await speaker(lipSync), tries()]).toEqual([BEST, 1]);
  });

  it('closes both, in the middle of getting ready too, and then says nothing', async () => {
    const said: News[] = [];
    const [best, meanwhile] = [fakeLipSync(BEST), fakeLipSync(MEANWHILE)];
    const warm = (signal: AbortSignal) =>
      new Promise<undefined>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const lipSync = onceReady(best, meanwhile, warm, (news) => said.push(news));
    await lipSync[Symbol.asyncDispose]();
    expect([best.closed, meanwhile.closed, said]).toEqual([true, true, []]);
  });
});

describe('MuseTalk whose networks have been deleted', () => {
  it('leaves all replies to mouth shapes, and says how to get it again', async () => {
    const said: News[] = [];
    const { folder, remove } = await scratchFolder();
    const networks = { folder, version: 'v1', width: 8, device: 'cpu', gpu: 0, mask: 'jaw', margin: 10 } as const;
    await using lipSync = await openLipSync({ engine: 'musetalk', ...networks }, 'stays', (news) => said.push(news));
    expect(said).toEqual([{ level: 'warn', text: expect.stringMatching(/models pull musetalk\. Mouth shapes/) }]);
    expect(lipSync.prepare).toBeUndefined();
    await remove();
  });
});

describe('networks that rest', () => {
  afterEach(() => vi.useRealTimers());

  it('start when they are asked, end when nobody has asked for a while, and start again', async () => {
    vi.useFakeTimers();
    const started: ReturnType<typeof standInNetworks>[] = [];
    const start = () => {
      started.push(standInNetworks());
      return started.at(-1)!;
    };
    const resting = restingNetworks(8, start, 1_000);
    expect([resting.width, started.length]).toEqual([8, 0]);
    const face = new Uint8Array(3 * 256 * 256);
    await resting.latents(face, never);
    await vi.advanceTimersByTimeAsync(999);
    await resting.latents(face, never);
    await vi.advanceTimersByTimeAsync(999);
    expect([started.length, started[0]!.isDisposed]).toEqual([1, false]);
    await vi.advanceTimersByTimeAsync(1);
    expect(started[0]!.isDisposed).toBe(true);
    await resting.latents(face, never);
    expect([started.length, started[1]!.isDisposed]).toEqual([2, false]);
    await resting[Symbol.asyncDispose]();
    expect(started[1]!.isDisposed).toBe(true);
  });

  it('do not end while one call is going on', async () => {
    vi.useFakeTimers();
    let finish = () => {};
    const held = standInNetworks({ beforeFaces: () => new Promise((resolve) => (finish = resolve)) });
    const resting = restingNetworks(8, () => held, 1_000);
    const painting = resting.faces(new Float32Array(50 * 8), new Float32Array(8 * 32 * 32), never);
    await resting.latents(new Uint8Array(3 * 256 * 256), never);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(held.isDisposed).toBe(false);
    finish();
    await painting;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(held.isDisposed).toBe(true);
  });
});

describe('warming up', () => {
  it('hears something, and paints each batch', async () => {
    const warm = standInNetworks();
    expect(await warmUp(warm, never)).toBeGreaterThan(0);
    expect(warm.encodings).toHaveLength(1);
    expect(warm.batches).toEqual([1, 1, 4, 8, 8]);
  });

  it('paints one frame only where that takes seconds', async () => {
    let now = 0;
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
    const warm = standInNetworks({
      beforeFaces: async () => {
        now += 3_000;
      },
    });
    const framesPerSecond = await warmUp(warm, never);
    clock.mockRestore();
    expect(warm.batches).toEqual([1, 1]);
    expect(framesPerSecond).toBeCloseTo(1 / 3);
  });
});

describe('a reply', () => {
  it('does not wait until all faces of its base clip are prepared, and takes them from the folder where they are', async () => {
    const { folder, remove } = await scratchFolder();
    const settings = { mask: 'jaw', margin: 10, version: 'v1' } as const;
    const inner = fakeLipSync(1);
    const lipSync = unhurried(inner, settings);
    const base = clipOf([[48, 48]], folder);
    expect(await speaker(lipSync, base)).toBe(1);
    expect(inner.clips[0]!.folder).toBeUndefined();
    expect(await inner.clips[0]!.picture(0)).toEqual(await base.picture(0));
    await (await openFaces(base, networks(), settings)).prepareAll(() => {}, never);
    await speaker(lipSync, base);
    expect(inner.clips[1]!.folder).toBe(folder);
    // Of other networks they are no use.
    await speaker(unhurried(inner, { ...settings, version: 'v2' }), base);
    expect(inner.clips[2]!.folder).toBeUndefined();
    await remove();
  });
});
