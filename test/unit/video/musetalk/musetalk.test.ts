import { describe, expect, it } from 'vitest';
import { joinedSamples } from '../../../../src/protocol/pcm.ts';
import { Queue } from '../../../../src/server/async/queue.ts';
import { whenAborted } from '../../../../src/server/async/when-aborted.ts';
import { type BaseClip, type Face, type Picture, VideoError } from '../../../../src/server/video/contracts.ts';
import { createMuseTalk } from '../../../../src/server/video/lip-sync/musetalk.ts';
import { type StandInHooks, standInNetworks } from '../../../fixtures/musetalk/networks-stand-in.ts';
import { sounds } from '../../../fixtures/sounds.ts';
import { HandClock, scratchFolder, settle, until } from '../../../fixtures/video.ts';

const never = new AbortController().signal;
const RATE = 16_000;
const SIZE = 96;
const SETTINGS = { mask: 'jaw', margin: 2, version: 'stand-in' } as const;

/** Where the face is known to be; the stand-in sees it there, too. */
const BOX = { x: 30, y: 24, width: 36, height: 46 };

/**
 * A clip of grey faces, each frame a bit brighter than the one before, that tells which of its pictures were asked for; `aside`
 * are those in which the face is at the left edge.
 */
function greyClip(frames = 2, folder?: string, aside: readonly number[] = []): BaseClip & { readonly asked: number[] } {
  const asked: number[] = [];
  const face = (index: number): Face => ({
    box: { ...BOX, x: aside.includes(index) ? 0 : BOX.x },
    outerLips: [],
    innerLips: [],
    leftEye: [],
    rightEye: [],
    jaw: [],
  });
  return {
    width: SIZE,
    height: SIZE,
    frames,
    asked,
    picture: async (index) => {
      asked.push(index);
      return { width: SIZE, height: SIZE, rgb: new Uint8Array(3 * SIZE * SIZE).fill(60 + 10 * index) };
    },
    face,
    ...(folder !== undefined && { folder }),
  };
}

async function* cut(samples: Float32Array, length: number): AsyncGenerator<Float32Array> {
  for (let at = 0; at < samples.length; at += length) yield samples.subarray(at, at + length);
}

type Reply = { base?: BaseClip; rate?: number; signal?: AbortSignal; clock?: HandClock };

/** A lip-sync over networks that are a stand-in, and what was made by it so far. */
function museTalk(speech: AsyncIterable<Float32Array>, hooks: StandInHooks = {}, reply: Reply = {}) {
  const { base = greyClip(), rate = RATE, signal = never, clock = new HandClock() } = reply;
  const networks = standInNetworks(hooks);
  const lipSync = createMuseTalk(networks, SETTINGS, clock);
  const pictures: Picture[] = [];
  const done = (async () => {
    for await (const picture of lipSync.frames(base, speech, rate, signal)) pictures.push(picture);
  })();
  done.catch(() => {});
  return { networks, lipSync, pictures, done };
}

const pixel = ({ rgb }: Picture, x: number, y: number) => rgb[3 * (y * SIZE + x)]!;
/** Brightness of the mouth, and of the forehead. */
const mouth = (picture: Picture) => pixel(picture, 48, 58);
const forehead = (picture: Picture) => pixel(picture, 48, 30);

describe('MuseTalk', () => {
  it('paints the mouth as what is said, and leaves the rest of each frame as it was', async () => {
    const { pictures, done } = museTalk(cut(sounds([0, 0.8], [0.5, 0.8], [0, 0.8]), 1_600));
    await done;
    expect(pictures).toHaveLength(60);
    for (const [i, picture] of pictures.entries()) {
      const was = 60 + 10 * (i % 2);
      expect(forehead(picture)).toBe(was);
      if (i < 16 || i > 45) expect(Math.abs(mouth(picture) - was)).toBeLessThanOrEqual(1);
      if (i > 24 && i < 36) expect(mouth(picture)).toBeGreaterThan(was + 20);
    }
  });

  it('paints into each frame where its own face is', async () => {
    const { pictures, done } = museTalk(cut(sounds([0.5, 1]), 1_600), {}, { base: greyClip(3, undefined, [1]) });
    await done;
    for (const [i, picture] of pictures.slice(5, 20).entries()) {
      const index = (5 + i) % 3;
      const was = 60 + 10 * index;
      const [aside, middle] = [pixel(picture, 10, 60) - was, mouth(picture) - was];
      if (index === 1) expect([aside > 20, middle]).toEqual([true, 0]);
      else expect([aside, middle > 20]).toEqual([0, true]);
    }
  });

  it.each([
    [16_000, 1_000, 2],
    [24_000, 24_001, 26],
    [22_050, 22_050 * 0.5, 13],
    [48_000, 1, 1],
    [16_000, 0, 0],
  ])('at %i samples per second, gives %i samples %i frames, in order', async (rate, samples, frames) => {
    const base = greyClip(3);
    const { pictures, done } = museTalk(cut(new Float32Array(samples), 640), {}, { base, rate });
    await done;
    expect(pictures.map(forehead)).toEqual(Array.from({ length: frames }, (_, i) => 60 + 10 * (i % 3)));
  });

  it('takes speech sample by sample', async () => {
    const { pictures, done } = museTalk(cut(sounds([0.4, 0.25]), 1));
    await done;
    expect(pictures).toHaveLength(7);
  });

  it('paints the first four frames once what they hear was said, and not before', async () => {
    const speech = new Queue<Float32Array>();
    const { pictures, networks } = museTalk(speech);
    speech.push(sounds([0.4, 1]).subarray(0, 3 * 640 + 1_920));
    await settle(20);
    expect(networks.batches).toEqual([]);
    // One sample more is the resampler's.
    speech.push(new Float32Array(1));
    await until(() => pictures.length === 4);
    await settle(20);
    expect(networks.batches).toEqual([4]);
    expect(pictures).toHaveLength(4);
  });

  it('begins with a small batch, and then paints full ones of speech that comes faster', async () => {
    const { networks, done } = museTalk(cut(sounds([0.3, 2]), 32_000));
    await done;
    expect(networks.batches).toEqual([4, 8, 8, 8, 8, 8, 8]);
    // The last two were padded; all was heard as a whole.
    expect(networks.encodings.length).toBeLessThanOrEqual(3);
  });

  it('paints what there is in a pause', async () => {
    const clock = new HandClock();
    const speech = new Queue<Float32Array>();
    const { pictures, networks } = museTalk(speech, {}, { clock });
    speech.push(sounds([0.4, 0.13]));
    await until(() => clock.waiting > 0);
    await settle(5);
    expect(networks.batches).toEqual([]);
    clock.advance(200);
    await until(() => pictures.length === 1);
    expect(networks.batches).toEqual([1]);
    speech.push(sounds([0.4, 0.24]));
    speech.end();
    await until(() => pictures.length === 10);
  });

  it('gets one batch ready while another is painted, and no more', async () => {
    const paint = new Queue<void>();
    const turn = paint[Symbol.asyncIterator]();
    const base = greyClip();
    const hooks = { beforeFaces: async () => void (await turn.next()) };
    const { pictures, networks, done } = museTalk(cut(sounds([0.3, 4]), 6_400), hooks, { base });
    await until(() => networks.batches.length === 1 && networks.encodings.length >= 2);
    await settle(20);
    expect(networks.batches).toEqual([4]);
    // Each picture is read once to be painted into, and once to look for its face, which is kept by what it looks like.
    expect(base.asked).toHaveLength(2 * 12);
    expect(pictures).toHaveLength(0);
    for (let i = 0; i < 20; i++) paint.push();
    await done;
    expect(pictures).toHaveLength(100);
  });

  it('makes no small batch while another is painted', async () => {
    const paint = new Queue<void>();
    const turn = paint[Symbol.asyncIterator]();
    const speech = new Queue<Float32Array>();
    const { networks } = museTalk(speech, { beforeFaces: async () => void (await turn.next()) });
    speech.push(sounds([0.3, 0.25]));
    await until(() => networks.batches.length === 1);
    speech.push(sounds([0.3, 0.16]));
    await settle(50);
    expect(networks.encodings).toHaveLength(1);
    speech.push(sounds([0.3, 0.16]));
    paint.push();
    await until(() => networks.batches.length === 2);
    expect(networks.batches).toEqual([4, 8]);
  });

  it('does not run away from whoever takes its frames slowly', async () => {
    const networks = standInNetworks();
    const frames = createMuseTalk(networks, SETTINGS).frames(greyClip(), cut(sounds([0.3, 8]), 6_400), RATE, never);
    const iterator = frames[Symbol.asyncIterator]();
    await iterator.next();
    await settle(50);
    expect(networks.batches).toEqual([4, 8]);
    await iterator.return?.();
    await settle(50);
    expect(networks.batches.length).toBeLessThanOrEqual(3);
  });

  it('ends at once when it is aborted, while speech is awaited', async () => {
    const abort = new AbortController();
    const speech = new Queue<Float32Array>();
    const { pictures, done, networks } = museTalk(speech, {}, { signal: abort.signal });
    speech.push(sounds([0.3, 0.5]));
    await until(() => pictures.length === 8);
    abort.abort();
    await done;
    speech.push(sounds([0.3, 2]));
    await settle(20);
    expect(networks.batches).toEqual([4, 4]);
  });

  it('ends at once when it is aborted, while networks compute, and asks them no more', async () => {
    const abort = new AbortController();
    const hooks: StandInHooks = {
      beforeFaces: async (_, signal) => {
        await whenAborted(signal);
        signal.throwIfAborted();
      },
    };
    const { pictures, done, networks } = museTalk(cut(sounds([0.3, 3]), 1_600), hooks, { signal: abort.signal });
    await until(() => networks.batches.length === 1);
    abort.abort();
    await done;
    await settle(20);
    expect(pictures).toHaveLength(0);
    expect(networks.batches).toEqual([4]);
  });

  it('gives nothing when it is aborted before', async () => {
    const { pictures, done, networks } = museTalk(cut(sounds([0.3, 1]), 1_600), {}, { signal: AbortSignal.abort() });
    await done;
    expect(pictures).toHaveLength(0);
    expect(networks.encodings).toHaveLength(0);
  });

  it('stops the networks when whoever takes its frames leaves', async () => {
    let stopped = false;
    const hooks: StandInHooks = {
      beforeFaces: async (batch, signal) => {
        if (batch === 4) return;
        await whenAborted(signal);
        stopped = true;
        signal.throwIfAborted();
      },
    };
    const networks = standInNetworks(hooks);
    const lipSync = createMuseTalk(networks, SETTINGS);
    for await (const _ of lipSync.frames(greyClip(), cut(sounds([0.3, 3]), 48_000), RATE, never)) {
      await until(() => networks.batches.length === 2);
      break;
    }
    await until(() => stopped);
    expect(networks.batches).toEqual([4, 8]);
  });

  it('fails as the networks do', async () => {
    const hooks: StandInHooks = {
      beforeFaces: async (batch) => {
        if (batch === 8) throw new VideoError('The card is gone.');
      },
    };
    const { pictures, done } = museTalk(cut(sounds([0.3, 1]), 16_000), hooks);
    await expect(done).rejects.toThrow('The card is gone.');
    expect(pictures).toHaveLength(4);
    const deaf = museTalk(cut(sounds([0.3, 1]), 16_000), {
      beforeSpeech: async () => {
        throw new VideoError('Whisper is gone.');
      },
    });
    await expect(deaf.done).rejects.toThrow('Whisper is gone.');
  });

  it('fails as the speech does', async () => {
    const speech = new Queue<Float32Array>();
    const { pictures, done } = museTalk(speech);
    speech.push(sounds([0.3, 0.5]));
    await until(() => pictures.length === 8);
    speech.fail(new Error('The voice broke.'));
    await expect(done).rejects.toThrow('The voice broke.');
  });

  it('speaks several replies at a time, each as it would alone', async () => {
    const replies = [sounds([0.4, 1]), joinedSamples([sounds([0, 0.4]), sounds([0.6, 0.7])]), sounds([0.1, 1.3])];
    const alone: string[] = [];
    const text = (pictures: Picture[]) => pictures.map((picture) => [forehead(picture), mouth(picture)]).join(' ');
    for (const reply of replies) {
      const { pictures, done } = museTalk(cut(reply, reply.length));
      await done;
      alone.push(text(pictures));
    }
    const lipSync = createMuseTalk(standInNetworks(), SETTINGS);
    const base = greyClip();
    const together = await Promise.all(
      replies.map(async (reply) => {
        const pictures: Picture[] = [];
        for await (const picture of lipSync.frames(base, cut(reply, reply.length), RATE, never)) pictures.push(picture);
        return text(pictures);
      }),
    );
    expect(together).toEqual(alone);
    expect(new Set(alone).size).toBe(3);
  });

  it('prepares the faces of a base clip once, and keeps them in its folder', async () => {
    const { folder, remove } = await scratchFolder();
    try {
      const networks = standInNetworks();
      const lipSync = createMuseTalk(networks, SETTINGS);
      const shares: number[] = [];
      await lipSync.prepare!(greyClip(5, folder), (done) => shares.push(done), never);
      expect(shares.at(-1)).toBe(1);
      expect(networks.looked.latents).toBe(5);
      const base = greyClip(5, folder);
      const other = museTalk(cut(sounds([0.3, 1]), 1_600), {}, { base });
      await other.done;
      expect(other.pictures).toHaveLength(25);
      expect(other.networks.looked).toEqual({ poses: 0, parses: 0, latents: 0 });
      await expect(lipSync.prepare!(greyClip(5, folder), () => {}, AbortSignal.abort())).rejects.toThrow();
    } finally {
      await remove();
    }
  });

  it('ends what it is at, and its networks, when it is closed', async () => {
    const { lipSync, networks, done } = museTalk(new Queue<Float32Array>());
    await settle(5);
    await lipSync[Symbol.asyncDispose]();
    await done;
    expect(networks.isDisposed).toBe(true);
  });
});
