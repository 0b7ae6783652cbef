import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { stillMaker } from '../../../src/server/video/base/still-maker.ts';
import { LOOPS, VideoError } from '../../../src/server/video/contracts.ts';
import { LoopLibrary } from '../../../src/server/video/loop-library.ts';
import type { LoopMaker } from '../../../src/server/video/loops/loop-maker.ts';
import { LoopShelf } from '../../../src/server/video/loops/loop-shelf.ts';
import { promptOfReply } from '../../../src/server/video/loops/prompts.ts';
import { Quiet } from '../../../src/server/video/quiet.ts';
import type { ReplyWords } from '../../../src/server/video/speaking-bodies.ts';
import { FakeMaker, FakeWorker, fakeAvatar, HandClock, scratchFolder, settle, until } from '../../fixtures/video.ts';

const never = new AbortController().signal;
const prompts = {
  idle: 'is calm',
  listening: 'listens',
  thinking: 'thinks',
  speaking: ['talks', 'explains'],
  reply: 'says "{reply}"',
  negative: 'blurry',
};
const QUIET_MS = 20_000;

let scratch: Awaited<ReturnType<typeof scratchFolder>>;
const libraries: LoopLibrary[] = [];
beforeEach(async () => {
  scratch = await scratchFolder();
});
afterEach(async () => {
  for (const library of libraries.splice(0)) await library[Symbol.asyncDispose]();
  await scratch.remove();
});

function setup(better?: FakeMaker, mode: 'library' | 'reflective' = 'library') {
  const worker = new FakeWorker();
  const clock = new HandClock();
  const quiet = new Quiet(clock);
  const still: LoopMaker = { maker: stillMaker(worker), seconds: 6, readsWords: false };
  const makers = better ? [still, { maker: better, seconds: 5, readsWords: true }] : [still];
  const library = new LoopLibrary({ worker, makers, prompts, quiet, quietSeconds: QUIET_MS / 1_000, mode, clock });
  libraries.push(library);
  const avatar = fakeAvatar('anna', scratch.folder);
  const made = () =>
    until(
      () =>
        library.view?.making === undefined &&
        (library.view?.problem !== undefined || Object.keys(library.view?.loops ?? {}).length === 5),
    );
  return { worker, clock, quiet, library, avatar, made };
}

/** Lets the maker's next job begin, once it is quiet enough. */
async function nextJob(maker: FakeMaker, clock: HandClock, ms = QUIET_MS): Promise<void> {
  const before = maker.makings.length;
  await until(() => {
    if (clock.waiting > 0) clock.advance(ms);
    return maker.makings.length > before;
  });
}

describe('base clips of an avatar', () => {
  it('that an earlier run prepared are made ready for the lip-sync of this one, once', async () => {
    const first = setup();
    await first.library.choose(first.avatar);
    await first.made();
    expect(first.worker.madeReady).toEqual([]);
    const second = setup();
    await second.library.choose(second.avatar);
    await until(() => second.worker.madeReady.length === 3);
    expect(second.worker.preparedFiles).toEqual([]);
    expect(new Set(second.worker.madeReady).size).toBe(3);
    expect(second.worker.madeReady).toContain(second.library.ready()!.folder);
    await second.library.choose(second.avatar);
    await second.made();
    expect(second.worker.madeReady).toHaveLength(3);
  });

  it('are all made, once, and have addresses', async () => {
    const { library, avatar, made } = setup();
    await library.choose(avatar);
    await made();
    const { loops, picture } = library.view!;
    expect(Object.keys(loops).sort()).toEqual([...LOOPS].sort());
    expect(picture).toBe('/avatars/anna/picture.png');
    for (const loop of LOOPS) {
      expect(loops[loop]).toMatch(/^\/avatars\/anna\/loops\/[0-9a-f]{24}\.mp4$/);
      expect(await readFile(library.fileOf(loops[loop]!)!, 'utf8')).toBe(`still ${loop}`);
    }
    for (const other of ['', '/avatars/anna/loops/../../x.mp4', picture]) expect(library.fileOf(other)).toBeUndefined();

    const again = setup();
    await again.library.choose(avatar);
    expect(again.library.view?.loops).toEqual(loops);
    await again.made();
    expect(again.worker.preparedFiles).toEqual([]);
  });

  it('are told of as they come', async () => {
    const { library, avatar, made } = setup();
    const seen: { loops: number; making: number | undefined }[] = [];
    const abort = new AbortController();
    const reading = (async () => {
      for await (const { loops, making } of library.changes(abort.signal))
        seen.push({ loops: Object.keys(loops).length, making });
    })();
    await library.choose(avatar);
    await made();
    await settle();
    abort.abort();
    await reading;
    expect(seen[0]).toEqual({ loops: 0, making: undefined });
    expect(seen.at(-1)).toEqual({ loops: 5, making: undefined });
    const shares = seen.flatMap(({ making }) => (making === undefined ? [] : [making]));
    expect(shares.length).toBeGreaterThan(4);
    expect([...shares].sort((a, b) => a - b)).toEqual(shares);
  });

  it('that were left unfinished are removed, and made again', async () => {
    const { library, avatar, made } = setup();
    const half = join(avatar.folder, 'loops', 'run-999999999-abc');
    await mkdir(half, { recursive: true });
    await writeFile(join(half, 'clip.mp4'), 'half');
    await library.choose(avatar);
    expect(library.view?.loops).toEqual({});
    await made();
    expect(await readdir(join(avatar.folder, 'loops'))).not.toContain('run-999999999-abc');
  });

  it('leave nothing behind of what was decoded only half, or by another version', async () => {
    const { library, avatar, made } = setup();
    await library.choose(avatar);
    await made();
    const [key] = (await readdir(join(avatar.folder, 'loops'))).filter((name) => /^[0-9a-f]{24}$/.test(name));
    for (const name of ['run-999999999-abc', 'prepared-0', 'run-1-abc']) {
      await mkdir(join(avatar.folder, 'loops', key!, name), { recursive: true });
      await writeFile(join(avatar.folder, 'loops', key!, name, 'frames.rgb'), 'half');
    }
    const again = setup();
    await again.library.choose(avatar);
    await again.made();
    // Of the three, the one of a process that still runs is left to it.
    const left = await readdir(join(avatar.folder, 'loops', key!));
    expect(left).toContain('clip.mp4');
    expect(left.filter((name) => /^run-|prepared-0/.test(name))).toEqual(['run-1-abc']);
  });

  it('that the machine lost its power over are made again', async () => {
    const { library, avatar, made } = setup();
    await library.choose(avatar);
    await made();
    const idle = library.fileOf(library.view!.loops.idle!)!;
    await writeFile(join(idle, '..', 'facts.json'), '');
    const again = setup();
    await again.library.choose(avatar);
    expect(Object.keys(again.library.view!.loops)).not.toContain('idle');
    await again.made();
    expect(await readFile(join(idle, '..', 'facts.json'), 'utf8')).not.toBe('');
  });

  it('that find no room on the disk say so, and what to do', async () => {
    const { library, avatar, worker } = setup();
    worker.prepared = Promise.reject(new VideoError('ENOSPC: no space left on device, write'));
    worker.prepared.catch(() => {});
    await library.choose(avatar);
    await until(() => library.view?.problem !== undefined);
    expect(library.view?.problem).toMatch(/disk is full.*cache\.folder/);
  });

  it('that two servers make at once are those of the first, who may be at work on them', async () => {
    const [one, other] = [new LoopShelf(scratch.folder), new LoopShelf(scratch.folder)];
    await one.add('key', async (file) => {
      await writeFile(file, 'of the second');
      await other.add('key', async (its) => {
        await writeFile(its, 'of the first');
        return {};
      });
      await writeFile(join(scratch.folder, 'key', 'half-decoded'), '');
      return {};
    });
    expect(await readFile(one.fileOf('key'), 'utf8')).toBe('of the first');
    expect(await readdir(scratch.folder)).toEqual(['key']);
    expect(await readdir(join(scratch.folder, 'key'))).toContain('half-decoded');
    expect([one.has('key'), one.isPrepared('key')]).toEqual([true, false]);
  });

  it('go by the newest name of their avatar', async () => {
    const { library, avatar, made } = setup();
    await library.choose(avatar);
    await library.choose({ ...avatar, name: 'Anna, while her clips are made' });
    expect(library.view?.name).toBe('Anna, while her clips are made');
    await made();
    await library.choose({ ...avatar, name: 'Anna again' });
    expect(library.view?.name).toBe('Anna again');
  });

  it('whose avatar was deleted behind the server’s back say that it is gone', async () => {
    const { library, avatar, worker } = setup();
    worker.prepared = Promise.reject(new VideoError(`ENOENT: no such file or directory, open '${avatar.pictureFile}'`));
    worker.prepared.catch(() => {});
    await library.choose(avatar);
    await until(() => library.view?.problem !== undefined);
    expect(library.view?.problem).toBe(
      'The files of this face are gone, removed by the command line or another server; choose a face again.',
    );
  });

  it('give way to those of another avatar; what is finished stays', async () => {
    const wan = new FakeMaker('wan-1', true);
    const { library, avatar, clock } = setup(wan);
    await library.choose(avatar);
    await nextJob(wan, clock);
    wan.last.finish();
    await nextJob(wan, clock);
    const other = fakeAvatar('ben', scratch.folder);
    await library.choose(other);
    await until(() => wan.running === 0);
    expect(library.view?.id).toBe('ben');
    await nextJob(wan, clock);
    expect(wan.last.job.pictureFile).toBe(other.pictureFile);
    await library.choose(avatar);
    await nextJob(wan, clock);
    expect(wan.last.job).toMatchObject({ loop: 'speaking-1', prompt: 'talks', negativePrompt: 'blurry', seconds: 5 });
    expect(wan.makings.filter(({ job }) => job.loop === 'idle').length).toBe(2);
  });
});

describe('decoded bodies', () => {
  it('are kept of the avatar that is shown and of the one before; the others wait as small files', async () => {
    const { library, avatar, worker, made } = setup();
    const decoded = async (id: string) => {
      const names = await readdir(join(scratch.folder, id, 'loops'), { recursive: true });
      return names.filter((name) => name.includes('prepared-') && !name.startsWith('picture')).length;
    };
    await library.choose(avatar);
    await made();
    for (const id of ['ben', 'cleo']) {
      await library.choose(fakeAvatar(id, scratch.folder));
      await made();
    }
    expect([await decoded('ben'), await decoded('cleo')]).toEqual([2, 2]);
    while ((await decoded('anna')) > 0) await settle(1);
    const files = worker.preparedFiles.length;
    await library.choose(avatar);
    expect(Object.keys(library.view!.loops).length).toBe(5);
    await until(() => worker.preparedFiles.length === files + 2);
    await until(() => library.ready()?.folder.includes('picture') === false);
  });
});

describe('decoded bodies of an earlier run', () => {
  it('are removed, save those of the avatar that is shown; the clips stay', async () => {
    const ben = fakeAvatar('ben', scratch.folder);
    for (const avatar of [fakeAvatar('anna', scratch.folder), ben]) {
      const { library, made } = setup();
      await library.choose(avatar);
      await made();
    }
    const { library, worker } = setup();
    await library.tidy([ben]);
    const names = await readdir(join(ben.folder, 'loops'), { recursive: true });
    expect(names.filter((name) => name.endsWith('clip.mp4'))).toHaveLength(5);
    while ((await readdir(join(ben.folder, 'loops'), { recursive: true })).filter(isDecoded).length > 0)
      await settle(1);
    await library.choose(fakeAvatar('anna', scratch.folder));
    await until(() => library.view?.making === undefined && Object.keys(library.view?.loops ?? {}).length === 5);
    expect(worker.preparedFiles).toEqual([]);
  });
});

const isDecoded = (name: string) => name.includes('prepared-') && !name.startsWith('picture');

describe('a better maker', () => {
  it('replaces the loops of the quick one, one by one, with its own words; the replaced ones stop taking room', async () => {
    const wan = new FakeMaker('wan-1', true);
    const { library, avatar, clock } = setup(wan);
    await library.choose(avatar);
    await nextJob(wan, clock);
    const { loops } = library.view!;
    expect(Object.keys(loops).length).toBe(5);
    for (let i = 0; i < 5; i++) {
      wan.last.progress(0.5);
      wan.last.finish();
      if (i < 4) await nextJob(wan, clock);
      if (i === 0) {
        expect(library.view?.loops.idle).not.toBe(loops.idle);
        expect(library.view?.loops.thinking).toBe(loops.thinking);
      }
    }
    await until(() => library.view?.making === undefined);
    const now = library.view!.loops;
    for (const loop of LOOPS) expect(await readFile(library.fileOf(now[loop]!)!, 'utf8')).toBe(`wan-1 ${loop}`);
    expect(wan.makings.map(({ job }) => job.prompt)).toEqual(['is calm', 'talks', 'listens', 'thinks', 'explains']);
    const prepared = async () =>
      (await readdir(join(avatar.folder, 'loops'), { recursive: true })).filter((name) => name.includes('prepared-'));
    await until(() => library.view?.making === undefined);
    let names = await prepared();
    while (names.length > 3) {
      await settle(1);
      names = await prepared();
    }
    expect(names.filter((name) => name.startsWith('picture')).length).toBe(1);
  });

  it('waits until nobody has talked for long, and gives way to talk', async () => {
    const wan = new FakeMaker('wan-1', true);
    const { library, avatar, clock, quiet } = setup(wan);
    quiet.talks(true);
    await library.choose(avatar);
    await until(() => Object.keys(library.view!.loops).length === 5);
    clock.advance(10 * QUIET_MS);
    await settle(20);
    expect(wan.makings).toEqual([]);
    quiet.talks(false);
    await nextJob(wan, clock);
    quiet.talks(true);
    await until(() => wan.running === 0);
    quiet.talks(false);
    await until(() => clock.waiting > 0);
    // After an interruption it waits twice as long.
    clock.advance(2 * QUIET_MS - 1);
    await settle();
    expect(clock.waiting).toBe(1);
    clock.advance(1);
    await until(() => wan.running === 1);
    expect(wan.last.job.loop).toBe('idle');
    // What is nearly done is finished all the same.
    wan.last.progress(0.9);
    quiet.talks(true);
    await settle(20);
    expect(wan.running).toBe(1);
    wan.last.finish();
    await until(() => wan.running === 0);
    expect(library.view?.problem).toBeUndefined();
  });

  it('ends its server when it has to give way', async () => {
    const wan = new FakeMaker('wan-1', true);
    let released = 0;
    const { clock, quiet, worker } = setup();
    const makers = [{ maker: wan, seconds: 5, readsWords: true, release: async () => void released++ }];
    const library = new LoopLibrary({ worker, makers, prompts, quiet, quietSeconds: 20, mode: 'library', clock });
    libraries.push(library);
    await library.choose(fakeAvatar('anna', scratch.folder));
    await nextJob(wan, clock);
    expect(released).toBe(0);
    quiet.talks(true);
    await until(() => released === 1);
    expect(wan.running).toBe(0);
  });

  it('whose clip cannot be prepared, as when it shows no face, is shown, but the quick one speaks', async () => {
    const wan = new FakeMaker('wan-1', true);
    const { library, avatar, clock, worker } = setup(wan);
    await library.choose(avatar);
    await nextJob(wan, clock);
    const quick = new Set([library.ready()?.folder, library.ready()?.folder]);
    wan.last.finish();
    await nextJob(wan, clock);
    worker.prepared = Promise.reject(new VideoError('There is no face in the video.'));
    worker.prepared.catch(() => {});
    const { 'speaking-1': before } = library.view!.loops;
    wan.last.finish();
    await until(() => library.view?.problem !== undefined);
    expect(library.view?.loops['speaking-1']).not.toBe(before);
    expect(library.view?.problem).toBe('There is no face in the video.');
    expect(new Set([library.ready()?.folder, library.ready()?.folder])).toEqual(quick);
  });

  it('that fails twice in a row is left alone until the avatar is chosen again; the quick loops stay', async () => {
    const wan = new FakeMaker('wan-1', true);
    const { library, avatar, clock } = setup(wan);
    await library.choose(avatar);
    await nextJob(wan, clock);
    wan.last.fail(new VideoError('LightX2V is not installed: pip install lightx2v.'));
    await nextJob(wan, clock);
    wan.last.fail(new VideoError('LightX2V is not installed: pip install lightx2v.'));
    await until(() => library.view?.making === undefined);
    expect(library.view?.problem).toBe('LightX2V is not installed: pip install lightx2v.');
    expect(Object.keys(library.view!.loops).length).toBe(5);
    expect(library.ready()?.folder).toContain('prepared-');
    await until(() => {
      void library.choose(avatar);
      return library.view?.problem === undefined;
    });
    await nextJob(wan, clock);
    expect(wan.last.job.loop).toBe('idle');
  });
});

describe('bodies for replies', () => {
  it('are the picture at first, then the moving ones in turn', async () => {
    const { library, avatar, worker, made } = setup();
    let go = () => {};
    worker.prepared = new Promise((resolve) => {
      go = resolve;
    });
    await library.choose(avatar);
    expect(library.ready()).toBeUndefined();
    const first = library.first(never);
    go();
    expect((await first).folder).toContain(join('loops', 'picture'));
    expect(worker.preparedFiles[0]).toBe(avatar.pictureFile);
    await made();
    const folders = [1, 2, 3, 4].map(() => library.ready()!.folder);
    expect(new Set(folders).size).toBe(2);
    expect(folders[0]).toBe(folders[2]);
    expect(folders.some((folder) => folder.includes('picture'))).toBe(false);
    expect(library.ready()).toMatchObject({ width: 512, height: 512 });
  });

  it('are waited for only as long as they are wanted', async () => {
    const { library, avatar, worker } = setup();
    await expect(library.first(never)).rejects.toThrow('No avatar');
    worker.prepared = new Promise(() => {});
    void library.choose(avatar);
    const leaving = new AbortController();
    const first = library.first(leaving.signal);
    leaving.abort(new Error('left'));
    await expect(first).rejects.toThrow('left');
    worker.prepared = Promise.resolve();
    libraries.length = 0;
  });

  it('are made again where an avatar was left and chosen again before they were', async () => {
    const { library, avatar, worker } = setup();
    let go = () => {};
    worker.prepared = new Promise((resolve) => {
      go = resolve;
    });
    await library.choose(avatar);
    const begun = library.first(never);
    await library.choose(fakeAvatar('ben', scratch.folder));
    await library.choose(avatar);
    const first = library.first(never);
    go();
    for (const body of [begun, first]) expect((await body).folder).toContain('anna');
  });

  it('that cannot be prepared are a sentence, and are tried again for the next reply', async () => {
    const { library, avatar, worker } = setup();
    worker.prepared = Promise.reject(new VideoError('ffmpeg is missing.'));
    worker.prepared.catch(() => {});
    await library.choose(avatar);
    await until(() => library.view?.problem !== undefined);
    await expect(library.first(never)).rejects.toThrow('ffmpeg is missing.');
    worker.prepared = Promise.resolve();
    expect((await library.first(never)).folder).toContain('prepared-');
  });

  it('are not removed while a reply speaks them', async () => {
    const wan = new FakeMaker('wan-1', false);
    const { library, avatar } = setup(wan);
    await library.choose(avatar);
    await until(() => wan.running === 1);
    const bodies = [library.ready()!, library.ready()!];
    for (let i = 1; i <= 5; i++) {
      await until(() => wan.makings.length === i);
      wan.last.finish();
    }
    await until(() => library.view?.making === undefined);
    await settle(20);
    for (const { folder } of bodies) await readdir(folder);
    for (const body of bodies) body.giveBack();
    for (const { folder } of bodies) {
      let there = true;
      while (there) {
        await settle(1);
        there = await readdir(folder).then(
          () => true,
          () => false,
        );
      }
    }
  });
});

describe('in reflective mode', () => {
  const words = (text: string) => {
    const spoken = new AbortController();
    const reply: ReplyWords = { text: () => text, spoken: spoken.signal };
    return { reply, end: () => spoken.abort() };
  };

  /** A library whose loops are all made. */
  async function reflective(heavy = true) {
    const wan = new FakeMaker('wan-1', heavy);
    const all = setup(wan, 'reflective');
    await all.library.choose(all.avatar);
    for (let i = 1; i <= 5; i++) {
      if (heavy) await nextJob(wan, all.clock);
      else await until(() => wan.makings.length === i);
      wan.last.finish();
    }
    await until(() => all.library.view?.making === undefined);
    return { wan, ...all };
  }

  it('a reply gets a body that fits its words, when it was spoken and nobody talks', async () => {
    const { wan, library, quiet } = await reflective();
    const { reply, end } = words('Seven "sixteen".\nIn the evening!');
    quiet.talks(true);
    const shares: number[] = [];
    const own = library.own!(reply, (done) => shares.push(done), never);
    await settle(20);
    end();
    await settle(20);
    expect(wan.running).toBe(0);
    quiet.talks(false);
    await until(() => wan.running === 1);
    expect(wan.last.job).toMatchObject({ loop: 'reply', prompt: 'says "Seven sixteen. In the evening!"' });
    wan.last.progress(0.5);
    wan.last.finish();
    const body = (await own)!;
    expect(body.folder).toContain('prepared-');
    expect(shares).toEqual([0.5]);
    body.giveBack();
    // Later replies may speak it too.
    expect([1, 2, 3].map(() => library.ready()!.folder)).toContain(body.folder);
  });

  it('only if the maker reads words: of another one every body would be the same', () => {
    expect(setup(undefined, 'reflective').library.own).toBeUndefined();
  });

  it('of those bodies the newest three are kept', async () => {
    const { wan, library, avatar } = await reflective(false);
    for (let i = 0; i < 5; i++) {
      const { reply, end } = words('words');
      end();
      const own = library.own!(reply, () => {}, never);
      await until(() => wan.running === 1);
      wan.last.finish();
      (await own)?.giveBack();
    }
    let names: string[];
    do {
      await settle(1);
      names = (await readdir(join(avatar.folder, 'loops'))).filter((name) => name.startsWith('reply-'));
    } while (names.length > 3);
    expect(names.length).toBe(3);
  });

  it('an ordinary body does when talk begins, when it takes too long, when it fails, or when the makers are busy', async () => {
    const { wan, library, quiet, clock } = await reflective();
    const own = async () => {
      const { reply, end } = words('words');
      end();
      const body = library.own!(reply, () => {}, never);
      await until(() => wan.running === 1);
      return body;
    };
    let body = own();
    await until(() => wan.running === 1);
    // Another one meanwhile.
    const { reply, end } = words('words');
    end();
    expect(await library.own!(reply, () => {}, never)).toBeUndefined();
    quiet.talks(true);
    expect(await body).toBeUndefined();
    quiet.talks(false);
    body = own();
    await until(() => wan.running === 1);
    clock.advance(300_000);
    expect(await body).toBeUndefined();
    body = own();
    await until(() => wan.running === 1);
    wan.last.fail(new VideoError('LightX2V ended.'));
    expect(await body).toBeUndefined();
    expect(library.ready()).toBeDefined();
  });
});

describe('the words of a reply in a prompt', () => {
  it('are plain, short, and cannot leave their place', () => {
    expect(promptOfReply('says "{reply}" {reply}', 'a\u0000b\t"c" $& {reply}\n')).toBe(
      'says "a b c $& reply" a b c $& reply',
    );
    const long = promptOfReply('{reply}', 'word '.repeat(200));
    expect(long.length).toBeLessThanOrEqual(300);
    expect(long.endsWith('word')).toBe(true);
    expect(promptOfReply('{reply}', '字'.repeat(400)).length).toBe(300);
  });
});
