import { existsSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { CHROMIUM, launch } from './page-fixture.ts';
import { avatarOf, COLOURS, FFMPEG, StandIn } from './video-stand-in.ts';

const PORTRAIT = fileURLToPath(
  new URL('../../../shared/data/faces/faker-portraits-cc0/female-55.jpg', import.meta.url),
);
const LOOPS = ['idle', 'listening', 'thinking'] as const;
const CLIP_S = 6;

/** A frame of a clip as the page tells of it, and when. */
type Frame = { mediaTime: number; heard: number; shown: boolean; turn: number };

/** Runs in the page: notes each clip's frames, whether the face was ever bare, and how it stands after a flush. */
function watch(): void {
  const seen = { frames: [] as Frame[], bare: 0, stopFrames: [] as number[] };
  Object.assign(window, { seen });
  const Socket = WebSocket;
  class Watched extends Socket {
    constructor(url: string | URL) {
      super(url);
      this.addEventListener('message', ({ data }) => {
        if (typeof data === 'string' && data.includes('"flush"')) countFrames(1);
      });
    }
  }
  Object.assign(window, { WebSocket: Watched });
  const covers = (id: string) => {
    const video = document.getElementById(id) as HTMLVideoElement;
    // A loop that goes back to its beginning shows its last frame until it is there.
    const pictured = video.readyState >= 2 || video.seeking;
    return pictured && getComputedStyle(video).opacity === '1' && !video.paused;
  };
  const countFrames = (frames: number) =>
    requestAnimationFrame(() => {
      const clip = getComputedStyle(document.getElementById('clip')!).opacity;
      const loop = ['loop-a', 'loop-b'].find(covers);
      const listens = loop && document.getElementById(loop)!.dataset.loop === 'listening';
      if (clip === '0' && listens) seen.stopFrames.push(frames);
      else if (frames < 100) countFrames(frames + 1);
    });
  let dressed = false;
  const look = () => {
    const covered = ['loop-a', 'loop-b'].some(covers);
    dressed ||= covered;
    if (dressed && !covered) seen.bare++;
    requestAnimationFrame(look);
  };
  document.addEventListener('DOMContentLoaded', () => {
    look();
    document.getElementById('clip')!.addEventListener('voice-chat:frame', (event) => {
      seen.frames.push((event as CustomEvent<Frame>).detail);
    });
  });
}

const framesOf = (page: Page, turn: number): Promise<Frame[]> =>
  page.evaluate((of) => window.seen.frames.filter((frame) => frame.turn === of && frame.shown), turn);

/** Waits for this many frames of a reply's clip on top, and returns them. */
async function shownFrames(page: Page, turn: number, count: number): Promise<Frame[]> {
  await page.waitForFunction(
    ([of, many]) => window.seen.frames.filter((frame) => frame.turn === of && frame.shown).length >= many!,
    [turn, count],
  );
  return framesOf(page, turn);
}

describe.skipIf(!CHROMIUM || !FFMPEG)('the face (needs Chromium and ffmpeg)', () => {
  let browser: Browser;
  let server: StandIn;
  const pages: Page[] = [];
  beforeAll(async () => {
    browser = await launch();
  });
  beforeEach(async () => {
    server = await StandIn.start(LOOPS);
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    await server.stop();
  });
  afterAll(() => browser?.close());

  async function open(options: BrowserContextOptions = {}, script?: () => void): Promise<Page> {
    const context = await browser.newContext({ permissions: ['microphone'], ...options });
    const page = await context.newPage();
    pages.push(page);
    if (script) await page.addInitScript(script);
    await page.addInitScript(watch);
    await page.goto(server.url);
    await page.waitForSelector('[data-link=ready]');
    return page;
  }

  /** A page with a microphone, whose face listens. */
  async function listening(): Promise<Page> {
    const page = await open();
    await page.click('#talk');
    await page.waitForSelector('[data-live=true]');
    await shows(page, 'listening');
    return page;
  }

  /** Waits until the loop is on top, and nothing beneath shines through it any more. */
  const shows = (page: Page, loop: string) =>
    page.waitForFunction((name) => {
      const video = document.querySelector(`.loop.on.over[data-loop=${name}]`);
      return video !== null && getComputedStyle(video).opacity === '1';
    }, loop);

  test('shows the loop of the conversation’s state, one over the other without a gap', async () => {
    const page = await open();
    await shows(page, 'idle');
    expect(await middle(page)).toEqual(near(COLOURS.idle));
    await page.click('#talk');
    await shows(page, 'listening');
    expect(await middle(page)).toEqual(near(COLOURS.listening));
    server.send({ type: 'state', state: 'thinking', turn: 1 });
    await shows(page, 'thinking');
    server.send({ type: 'state', state: 'speaking', turn: 1 });
    await shows(page, 'listening');
    server.send({ type: 'state', state: 'thinking', turn: 2 });
    server.send({ type: 'state', state: 'listening', turn: 2 });
    server.send({ type: 'state', state: 'thinking', turn: 3 });
    await shows(page, 'thinking');
    expect(await middle(page)).toEqual(near(COLOURS.thinking));
    expect(await page.evaluate(() => window.seen.bare)).toBe(0);
  });

  test('shows the picture until there are loops, and another face when it is chosen', async () => {
    const page = await open();
    server.send({ type: 'avatar', avatar: avatarOf('cc33', []) });
    await page.waitForSelector('.loop:not(.on) ~ .loop:not(.on)', { state: 'attached' });
    expect(await middle(page)).toEqual(near(COLOURS.picture));
    server.send({ type: 'avatar', avatar: { ...avatarOf('cc33', ['idle']), making: 0.5 } });
    await shows(page, 'idle');
    await page.waitForSelector('#face-progress:not([hidden])');
    server.send({ type: 'avatar', avatar: avatarOf('cc33', LOOPS) });
    await page.waitForSelector('#face-progress[hidden]', { state: 'attached' });
  });

  test('keeps still for those who want it so', async () => {
    const page = await open({ reducedMotion: 'reduce' });
    await page.click('#talk');
    await page.waitForSelector('[data-phase=listening]');
    expect(await page.locator('.loop.on').count()).toBe(0);
    expect(await middle(page)).toEqual(near(COLOURS.picture));
  });

  test('a clip begins with the sound, follows it, says what has arrived, and gives way at the end', async () => {
    const page = await listening();
    const clip = server.clip(CLIP_S);
    server.announceClip(1);
    const half = Math.floor(clip.length / 2);
    server.sendClip(1, clip, 0, half);
    server.speak(1, CLIP_S);
    const [first] = await shownFrames(page, 1, 10);
    expect(first!.mediaTime).toBeLessThan(1);
    server.sendClip(1, clip, half);
    server.end(1, CLIP_S);
    server.finishClip(1, clip, CLIP_S);
    const frames = await shownFrames(page, 1, 60);
    // It may be slow here, but not far off.
    expect(middleOf(frames.map(({ mediaTime, heard }) => Math.abs(mediaTime - heard)))).toBeLessThan(0.1);
    const { messages } = server;
    const received = messages.flatMap((message) => (message.type === 'clip_received' ? [message.bytes] : []));
    expect(received.at(-1)).toBe(clip.length);
    expect(received).toEqual([...received].sort((a, b) => a - b));
    await page.waitForSelector('#clip:not(.on)', { state: 'attached' });
    await page.waitForFunction(() => !document.getElementById('clip')!.hasAttribute('src'));
    expect(await page.evaluate(() => window.seen.bare)).toBe(0);
  });

  test('a late clip joins where the sound is', async () => {
    const page = await listening();
    server.speak(1, CLIP_S);
    await page.waitForFunction(() => performance.getEntriesByName('voice-chat:sound').length > 0);
    const already = 1.5;
    await page.waitForFunction((seconds) => {
      const began = performance.getEntriesByName('voice-chat:sound')[0]!.startTime;
      return performance.now() - began > seconds * 1000;
    }, already);
    expect(await page.locator('#clip.on').count()).toBe(0);
    server.announceClip(1);
    server.sendClip(1, server.clip(CLIP_S));
    const frames = await shownFrames(page, 1, 10);
    expect(frames[0]!.mediaTime).toBeGreaterThan(already);
  });

  test('a reply that is cut leaves no clip: the face listens within two frames, and the rest is dropped', async () => {
    const page = await listening();
    const clip = server.clip(CLIP_S);
    server.speak(1, CLIP_S);
    server.announceClip(1);
    const half = Math.floor(clip.length / 2);
    server.sendClip(1, clip, 0, half);
    await shownFrames(page, 1, 5);
    server.send({ type: 'flush', turn: 1 });
    server.send({ type: 'state', state: 'hearing', turn: 2 });
    await page.waitForFunction(() => window.seen.stopFrames.length > 0);
    expect(await page.evaluate(() => window.seen.stopFrames[0])).toBeLessThanOrEqual(2);
    expect(await middle(page)).toEqual(near(COLOURS.listening));

    const before = (await framesOf(page, 1)).length;
    server.sendClip(1, clip, half);
    server.announceClip(1);
    server.speak(2, CLIP_S);
    server.announceClip(2);
    server.sendClip(2, clip);
    await shownFrames(page, 2, 5);
    expect((await framesOf(page, 1)).length).toBe(before);
    await page.keyboard.press('Escape');
    await page.waitForSelector('#clip:not(.on)', { state: 'attached' });
  });

  test('where a clip cannot come in pieces it is fetched when it is whole', async () => {
    const page = await open({}, () => {
      Object.assign(window, { MediaSource: undefined, ManagedMediaSource: undefined });
    });
    expect(server.messages[0]).toMatchObject({ type: 'hello', clips: 'url' });
    await page.click('#talk');
    const clip = server.clip(CLIP_S);
    server.speak(1, CLIP_S);
    server.announceClip(1);
    server.finishClip(1, clip, CLIP_S);
    await shownFrames(page, 1, 5);
  });

  test('a finished clip can be kept, and played again until somebody talks', async () => {
    const page = await listening();
    server.speak(1, 1);
    server.announceClip(1);
    server.finishClip(1, server.clip(CLIP_S), CLIP_S);
    await page.click('[data-clip]');
    await page.waitForSelector('.toast:has-text("has ended")');
    expect(await page.locator('#replay[open]').count()).toBe(0);
    server.send({ type: 'state', state: 'listening', turn: 1 });
    await page.waitForSelector('[data-phase=listening]');
    await page.click('[data-clip]');
    await page.waitForFunction(() => {
      const video = document.querySelector<HTMLVideoElement>('#replay[open] video')!;
      return video && video.currentTime > 0.2 && !video.muted && !video.paused;
    });
    server.send({ type: 'state', state: 'hearing', turn: 2 });
    await page.waitForSelector('#replay:not([open])', { state: 'attached' });
    // A dialog tells of its closing a moment later.
    await page.waitForSelector('#replay-video:not([src])', { state: 'attached' });
    expect(await page.getAttribute('.clip-action[download]', 'href')).toBe('/clips/1.mp4?download');
  });

  test('says once what was wrong with a clip', async () => {
    const page = await listening();
    const message = 'ffmpeg is missing: apt-get install ffmpeg.';
    server.send({ type: 'error', code: 'video_failed', message, stage: 'video', turn: 1 });
    server.send({ type: 'error', code: 'video_failed', message, stage: 'video', turn: 2 });
    await page.waitForSelector('.toast');
    expect(await page.locator('.toast').count()).toBe(1);
  });

  test('says once why a face cannot move, until it can', async () => {
    const page = await open();
    const problem = 'The video me.mp4 is not there; correct video.baseClips.file.';
    server.send({ type: 'avatar', avatar: { ...avatarOf('aa11', ['idle']), problem } });
    await page.waitForSelector(`#problem:not([hidden]) >> text=${problem}`);
    await page.click('#problem-close');
    server.send({ type: 'avatar', avatar: { ...avatarOf('aa11', LOOPS), problem } });
    server.send({ type: 'notice', text: 'After it.' });
    await page.waitForSelector('.toast');
    expect(await page.isVisible('#problem')).toBe(false);
    server.send({ type: 'avatar', avatar: avatarOf('aa11', LOOPS) });
    server.send({ type: 'avatar', avatar: { ...avatarOf('aa11', LOOPS), problem } });
    await page.waitForSelector('#problem:not([hidden])');
    server.send({ type: 'avatar', avatar: avatarOf('aa11', LOOPS) });
    await page.waitForSelector('#problem[hidden]', { state: 'attached' });
  });

  test.skipIf(!existsSync(PORTRAIT))(
    'a picture with several faces is cut by hand, with pointer or keyboard (needs ../shared/data)',
    async () => {
      const page = await open();
      await page.click('#open-avatars');
      await page.waitForSelector('.avatar-card');
      const faces = [
        { x: 400, y: 200, width: 200, height: 260 },
        { x: 80, y: 300, width: 150, height: 190 },
      ];
      const refusal = {
        problem: 'several_faces',
        message: 'There are two faces; choose one.',
        width: 1024,
        height: 1024,
      };
      server.put = { status: 422, body: { ...refusal, faces } };
      await page.setInputFiles('#avatar-file', PORTRAIT);
      await page.waitForSelector('#avatar-problem:has-text("two faces")');
      expect(await page.evaluate(() => document.activeElement?.id)).toBe('crop-square');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('-');
      const value = () => page.getAttribute('#crop-square', 'aria-valuetext');
      const byKeyboard = await value();
      const box = (await page.locator('#crop-square').boundingBox())!;
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2 + 30, box.y + box.height / 2 + 20);
      await page.mouse.up();
      expect(await value()).not.toBe(byKeyboard);
      await page.click('.crop-face >> nth=1');
      server.put = { status: 200, body: { avatar: avatarOf('bb22', LOOPS) } };
      await page.click('#crop-use');
      await page.waitForSelector('.avatar-choice[aria-pressed=true]:has-text("Face 2")');
      const puts = server.requests.filter(({ method }) => method === 'PUT');
      expect(puts.map(({ bytes, type }) => [bytes, type])).toEqual(
        Array(2).fill([statSync(PORTRAIT).size, 'image/jpeg']),
      );
      const crop = new URL(puts[1]!.path, server.url).searchParams.get('crop')!.split(',').map(Number);
      expect(crop.every((share) => share >= 0 && share <= 1)).toBe(true);
      await page.keyboard.press('Escape');
      await page.waitForSelector('#avatars:not([open])', { state: 'attached' });
    },
  );

  test('says why a picture was refused, and own faces can be removed', async () => {
    const page = await open();
    page.on('dialog', (dialog) => void dialog.accept());
    await page.click('#open-avatars');
    server.put = { status: 415, body: { problem: 'format', message: 'Send a PNG, JPEG or WebP picture.' } };
    const file = { name: 'notes.png', mimeType: 'image/png', buffer: Buffer.from('no picture') };
    await page.setInputFiles('#avatar-file', file);
    await page.waitForSelector('#avatar-problem:has-text("Send a PNG")');
    expect(await page.locator('#avatar-cropping').isHidden()).toBe(true);
    await page.click('[aria-label="Remove Face 2"]');
    await expect.poll(() => server.requests.some(({ method }) => method === 'DELETE')).toBe(true);
    expect(server.requests.find(({ method }) => method === 'DELETE')!.path).toBe('/api/avatars/bb22');
  });

  test.each([
    [360, 740],
    [640, 400],
    [1280, 800],
  ])('at %d × %d nothing is cut off and every target is large enough', async (width, height) => {
    const page = await open({ viewport: { width, height } });
    await shows(page, 'idle');
    server.finishClip(1, Buffer.alloc(0), 0);
    server.send({ type: 'reply_text', turn: 1, text: 'A reply.' });
    await page.waitForSelector('.clip-action');
    expect(await measured(page)).toEqual({ overflow: 0, small: [], outside: [] });
    await page.click('#open-avatars');
    await page.waitForSelector('.avatar-card');
    expect(await measured(page)).toMatchObject({ overflow: 0, small: [] });
  });
});

describe.skipIf(!CHROMIUM || !FFMPEG)('without an avatar (needs Chromium and ffmpeg)', () => {
  test('there is no face and nothing to choose one by', async () => {
    const server = await StandIn.start(undefined);
    const browser = await launch();
    try {
      const page = await browser.newPage();
      await page.goto(server.url);
      await page.waitForSelector('[data-link=ready]');
      const visible = ['#face', '#open-avatars', '#avatars', '#replay', '.clip-action'].map((one) =>
        page.isVisible(one),
      );
      expect(await Promise.all(visible)).toEqual(Array(5).fill(false));
      expect(await page.getAttribute('body', 'data-face')).toBeNull();
    } finally {
      await browser.close();
      await server.stop();
    }
  });

  test('it says why, and leaves a problem that keeps one from talking where it is', async () => {
    const server = await StandIn.start(undefined);
    const browser = await launch();
    try {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(server.url);
      await page.waitForSelector('[data-link=ready]');
      const message = 'The cache folder cannot be written; mend its rights.';
      server.send({ type: 'error', code: 'video_failed', stage: 'video', message });
      await page.waitForSelector(`#problem:not([hidden]) >> text=${message}`);
      await page.click('#problem-close');
      server.send({ type: 'error', code: 'voice_input_off', message: 'No recogniser.' });
      server.send({ type: 'error', code: 'video_failed', stage: 'video', message });
      await page.waitForSelector(`.toast >> text=${message}`);
      expect(await page.textContent('#problem-fix')).toBe('No recogniser.');
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});

/** What does not fit the window, targets under 44 px, and controls that are outside of it. */
function measured(page: Page) {
  return page.evaluate(() => ({
    overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    small: [...document.querySelectorAll<HTMLElement>('button, a, .avatar-upload')]
      .filter((button) => button.checkVisibility() && !button.matches('.skip'))
      .filter((button) => button.offsetWidth < 44 || button.offsetHeight < 44)
      .map((button) => button.id || button.className),
    outside: ['talk', 'mute', 'interrupt', 'face']
      .map((id) => document.getElementById(id)!)
      .filter((one) => one.getBoundingClientRect().right > innerWidth || one.getBoundingClientRect().left < 0)
      .map(({ id }) => id),
  }));
}

/** The colour in the middle of the face as it is on the screen. */
async function middle(page: Page): Promise<number[]> {
  const png = (await page.locator('#face').screenshot()).toString('base64');
  return page.evaluate(async (bytes) => {
    const image = new Image();
    image.src = `data:image/png;base64,${bytes}`;
    await image.decode();
    const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height });
    const pen = canvas.getContext('2d')!;
    pen.drawImage(image, 0, 0);
    return [...pen.getImageData(image.width / 2, image.height / 2, 1, 1).data.subarray(0, 3)];
  }, png);
}

/** A colour about like this one: H.264 does not keep it exactly. */
function near(hex: string) {
  const parts = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  return parts.map((part) => expect.closeTo(part, -1.3));
}

function middleOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

declare global {
  interface Window {
    seen: { frames: Frame[]; bare: number; stopFrames: number[] };
  }
}
