import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { joinedSamples } from '../../src/protocol/pcm.ts';
import { padded, synthesise } from '../fixtures/speech.ts';
import { writeWav } from '../fixtures/wav.ts';
import { CHROMIUM, launch, openPage, scriptedConfig, TestServer } from './page-fixture.ts';
import { FFMPEG } from './video-stand-in.ts';

/** Where the pictures of the face are kept for whoever wants to look at them. */
const PICTURES = fileURLToPath(new URL('../../.cache/face', import.meta.url));
const REPLY = `${Array.from({ length: 5 }, () => 'I run on this machine alone, word after word, until you speak.').join(' ')}`;

describe.skipIf(!CHROMIUM || !FFMPEG)('a face of the real server (needs Chromium and ffmpeg)', () => {
  const folder = mkdtempSync(join(tmpdir(), 'voice-chat-video-'));
  let server: TestServer;
  let browser: Browser | undefined;

  beforeAll(async () => {
    mkdirSync(PICTURES, { recursive: true });
    const config = JSON.parse(scriptedConfig('what time is it', REPLY));
    const face = { tts: { engine: 'flite' }, video: { enabled: true }, cache: { folder } };
    server = await TestServer.start(JSON.stringify({ ...config, ...face }));
    await everyLoop(server.url);
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const look = (page: Page, name: string) => page.locator('#face').screenshot({ path: join(PICTURES, `${name}.png`) });

  test('it idles, listens, speaks with its reply, and listens again when spoken over', async () => {
    const question = padded(await synthesise('What time is it?'), 700, 9_000);
    const over = padded(await synthesise('Stop now, please, that is quite enough for me.'), 0, 20_000);
    const wav = join(folder, 'microphone.wav');
    writeWav(wav, { rate: question.rate, samples: joinedSamples([question.samples, over.samples]) });
    browser = await launch(wav);
    const page = await openPage(browser, server.url);
    await page.waitForSelector('.loop.on[data-loop=idle]');
    const idle = await look(page, 'idle');
    await page.click('#talk');
    await page.waitForSelector('.loop.on.over[data-loop=listening]');
    await look(page, 'listening');

    await page.waitForSelector('#clip.on');
    const speaking = await look(page, 'speaking');
    expect(speaking.equals(idle)).toBe(false);

    await page.waitForSelector('.unheard');
    await page.waitForSelector('#clip:not(.on)', { state: 'attached' });
    const loop = page.locator('.loop.on.over');
    expect(['listening', 'thinking']).toContain(await loop.getAttribute('data-loop'));
    await look(page, 'after-barge-in');
    expect(await page.locator('.exchange:first-of-type .clip-action').count()).toBe(0);
    await page.close();
  });

  test('a reply that was heard can be played again and kept', async () => {
    browser ??= await launch();
    const page = await openPage(browser, server.url, { acceptDownloads: true });
    await page.click('#open-avatars');
    await page.waitForSelector('.avatar-card');
    await page.keyboard.press('Escape');
    await page.fill('#text', 'hello');
    await page.press('#text', 'Enter');
    // Its whole length, and what a busy machine adds.
    await page.waitForSelector('[data-clip]', { timeout: 100_000 });
    await page.waitForSelector('[data-phase=idle]', { timeout: 100_000 });
    await page.click('[data-clip]');
    await page.waitForFunction(() => {
      const video = document.querySelector<HTMLVideoElement>('#replay[open] video');
      return video && video.duration > 5 && video.currentTime > 0.2;
    });
    await page.keyboard.press('Escape');
    await page.waitForSelector('#replay:not([open])', { state: 'attached' });
    const [download] = await Promise.all([page.waitForEvent('download'), page.click('.clip-action[download]')]);
    expect(download.suggestedFilename()).toMatch(/\.mp4$/);
    await page.close();
  }, 240_000);
});

/** Waits until all base clips of the first face are made. */
async function everyLoop(url: string): Promise<void> {
  const loops = async () => {
    const response = await fetch(new URL('api/avatar', url));
    if (!response.ok) return [];
    const { avatar } = (await response.json()) as { avatar?: { loops: object } };
    return Object.keys(avatar?.loops ?? {});
  };
  await vi.waitFor(async () => expect(await loops()).toHaveLength(5), { timeout: 200_000, interval: 500 });
}
