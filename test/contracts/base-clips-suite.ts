import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BaseClipJob, type BaseClipMaker, VideoError } from '../../src/server/video/contracts.ts';

/** A maker, and what it is made of, in the states that the contract is about. */
export type MakerBench = AsyncDisposable & {
  readonly maker: BaseClipMaker;
  /** Lets jobs stop in their middle; settles when one is there. */
  readonly hold: () => { readonly reached: Promise<void>; readonly goOn: () => void };
  /** Lets the next job fail; left out by makers that cannot. */
  readonly breakIt?: () => void;
};

/** What every maker of base clips promises. */
export function baseClipSuite(name: string, open: (pictureFile: string) => Promise<MakerBench>): void {
  describe(`base clips by ${name}`, () => {
    let folder: string;
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), 'voice-chat-base-clips-'));
      writeFileSync(join(folder, 'picture.png'), 'a picture');
    });
    afterAll(() => rmSync(folder, { recursive: true }));

    const pictureFile = () => join(folder, 'picture.png');
    const job = (loop: BaseClipJob['loop'] = 'idle'): BaseClipJob => ({
      loop,
      pictureFile: pictureFile(),
      face: {
        box: { x: 0, y: 0, width: 1, height: 1 },
        outerLips: [],
        innerLips: [],
        leftEye: [],
        rightEye: [],
        jaw: [],
      },
      prompt: 'A person breathes.',
      negativePrompt: 'blurry',
      seconds: 2,
      file: join(folder, 'clip.mp4'),
    });
    const written = () => readdirSync(folder).filter((one) => one !== 'picture.png');
    const never = new AbortController().signal;

    it('are files that appear whole, with progress that grows', async () => {
      await using bench = await open(pictureFile());
      const progress: number[] = [];
      const one = job();
      await bench.maker.make(one, (done) => progress.push(done), never);
      expect(statSync(one.file).size).toBeGreaterThan(0);
      expect(written()).toEqual(['clip.mp4']);
      expect(progress).toEqual([...progress].sort((a, b) => a - b));
      for (const done of progress) expect(done >= 0 && done <= 1).toBe(true);
      rmSync(one.file);
    });

    it('are not begun once they are cancelled', async () => {
      await using bench = await open(pictureFile());
      const reason = new Error('somebody talks');
      await expect(bench.maker.make(job(), () => {}, AbortSignal.abort(reason))).rejects.toBe(reason);
      expect(written()).toEqual([]);
    });

    it('leave nothing when they are cancelled, and do not disturb the next', async () => {
      await using bench = await open(pictureFile());
      const held = bench.hold();
      const cancel = new AbortController();
      const reason = new Error('somebody talks');
      const made = bench.maker.make(job(), () => {}, cancel.signal);
      await held.reached;
      cancel.abort(reason);
      await expect(made).rejects.toBe(reason);
      expect(written()).toEqual([]);
      held.goOn();
      await bench.maker.make(job('listening'), () => {}, never);
      expect(written()).toEqual(['clip.mp4']);
      rmSync(join(folder, 'clip.mp4'));
    });

    it('that fail do so with a sentence, and leave nothing', async () => {
      await using bench = await open(pictureFile());
      if (!bench.breakIt) return;
      bench.breakIt();
      const error = await bench.maker.make(job(), () => {}, never).catch((one: unknown) => one);
      expect(error).toBeInstanceOf(VideoError);
      expect((error as Error).message).toMatch(/^\P{Ll}.*\S$/su);
      expect(written()).toEqual([]);
    });

    it('end with their maker, which may be closed twice', async () => {
      const bench = await open(pictureFile());
      await using _ = bench;
      const held = bench.hold();
      const made = expect(bench.maker.make(job(), () => {}, never)).rejects.toThrow();
      await held.reached;
      await bench.maker[Symbol.asyncDispose]();
      await made;
      await bench.maker[Symbol.asyncDispose]();
      held.goOn();
      expect(written()).toEqual([]);
    });
  });
}
