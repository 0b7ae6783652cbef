import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { scriptedConfig } from '../../src/bench/server-process.ts';
import type { AvatarView } from '../../src/protocol/messages.ts';
import { CommandLine } from '../fixtures/command-line.ts';
import { HAS_FFMPEG } from '../fixtures/video-server.ts';
import { isRunning, Wan22Bench } from '../fixtures/wan22.ts';

/** A card with room for everything, so that what else this machine has hardly counts. */
function fakeCard(folder: string): NodeJS.ProcessEnv {
  const file = join(folder, 'nvidia-smi');
  writeFileSync(file, '#!/bin/sh\necho "NVIDIA RTX PRO 6000, 12.0, 97887, 97000, 580.00"\n');
  chmodSync(file, 0o755);
  return { ...process.env, PATH: `${folder}:${process.env.PATH}` };
}

describe.skipIf(!HAS_FFMPEG)('Wan2.2 by a server as it is started (skipped where there is no ffmpeg)', () => {
  it('makes the loops in the quiet, and neither ends nor is made twice when the server is killed', {
    timeout: 120_000,
  }, async () => {
    using bench = new Wan22Bench();
    const sample = join(bench.folder, 'sample.mp4');
    const testCard = ['-f', 'lavfi', '-i', 'testsrc=duration=1:size=480x480:rate=16', '-pix_fmt', 'yuv420p'];
    execFileSync('ffmpeg', ['-v', 'error', ...testCard, sample]);
    bench.behave({ sample, holdAt: 2 });
    const { loras: _, ...settings } = bench.settings({ frames: 17 });
    const config = scriptedConfig({
      server: { port: 0 },
      video: { enabled: true, quietSeconds: 0, baseClips: { engine: 'wan22', ...settings } },
      cache: { folder: join(bench.folder, 'cache') },
    });
    const start = () => new CommandLine([], config, fakeCard(bench.folder));
    const done = async (count: number) => {
      while (bench.record('done').length < count) await sleep(50);
    };

    await using first = start();
    const url = await first.url();
    while (bench.record('held').length === 0) await sleep(50);
    const view = async (at: string): Promise<AvatarView | undefined> => {
      const response = await fetch(`${at}/api/avatar`);
      // 503 until the video tier is up.
      return response.ok ? ((await response.json()) as { avatar?: AvatarView }).avatar : undefined;
    };
    expect((await view(url))?.problem).toBeUndefined();
    first.process.kill('SIGKILL');
    await first.ended;
    const [{ pid, cache }] = bench.record('start') as unknown as [{ pid: number; cache: string }];
    while (isRunning(pid) || existsSync(cache)) await sleep(50);

    bench.behave({ sample });
    await using second = start();
    const at = await second.url();
    await done(5);
    for (;;) {
      const now = await view(at);
      if (now && now.making === undefined && Object.keys(now.loops).length === 5) break;
      await sleep(100);
    }
    const jobs = bench.record('submit').length;
    second.process.kill('SIGKILL');
    await second.ended;

    await using third = start();
    const again = await third.url();
    while (Object.keys((await view(again))?.loops ?? {}).length < 5) await sleep(100);
    while ((await view(again))?.making !== undefined) await sleep(100);
    expect(bench.record('submit')).toHaveLength(jobs);
  });
});
