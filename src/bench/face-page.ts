import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import type { AvatarView } from '../protocol/messages.ts';
import { launchChromium } from './chromium.ts';
import type { Say } from './row.ts';
import { type ServerProcess, scriptedConfig, startServerProcess } from './server-process.ts';

/** A frame of a clip on the screen: its own time and what of the reply was heard then, in seconds. */
export type FaceFrame = { readonly turn: number; readonly mediaTime: number; readonly heard: number };

/** After a flush reached the page: drawings of the screen, and milliseconds, until the face listens and the clip is gone. */
export type FaceStop = { readonly frames: number; readonly ms: number };

const LOOPS_MS = 240_000;
const TURN_MS = 30_000;

/** Runs before the page's own script. `face` collects what it shows; a loop counts once it is decoded, opaque and moving. */
const WATCH = `(() => {
  const face = window.face = { frames: [], stops: [] };
  const opacity = (video) => getComputedStyle(video).opacity;
  const listens = () => [...document.querySelectorAll('.loop')].some((video) =>
    video.dataset.loop === 'listening' && video.readyState >= 2 && !video.paused && opacity(video) === '1');
  const count = (since, frames) => requestAnimationFrame(() => {
    const clip = document.getElementById('clip');
    if (opacity(clip) === '0' && listens()) face.stops.push({ frames, ms: performance.now() - since });
    else count(since, frames + 1);
  });
  window.WebSocket = class extends WebSocket {
    constructor(url) {
      super(url);
      this.addEventListener('message', ({ data }) => {
        if (typeof data !== 'string' || JSON.parse(data).type !== 'flush') return;
        if (opacity(document.getElementById('clip')) === '1') count(performance.now(), 1);
      });
    }
  };
  document.addEventListener('DOMContentLoaded', () => {
    document.getElementById('clip').addEventListener('voice-chat:frame', ({ detail }) => {
      if (detail.shown) face.frames.push(detail);
    });
  });
})();`;

/** A page with a face whose base clips are made: the real server with scripted ears and brain, a synthesiser, still and visemes. */
export class FacePage {
  readonly page: Page;

  private constructor(page: Page) {
    this.page = page;
  }

  /** Opens one for `use`, which answers every text with `reply`; says why where that is impossible, and gives undefined. */
  static async with<T>(
    say: Say,
    reply: string,
    use: (face: FacePage) => Promise<T>,
    options: { readonly vad?: string; readonly script?: string } = {},
  ): Promise<T | undefined> {
    const browser = await launchChromium();
    if (typeof browser === 'string') {
      say(`Not measured: ${browser}`);
      return undefined;
    }
    const folder = await mkdtemp(join(tmpdir(), 'voice-chat-face-'));
    try {
      const config = scriptedConfig({
        vad: { engine: options.vad ?? 'scripted' },
        llm: { engine: 'scripted', replies: [reply] },
        tts: { engine: 'flite' },
        video: { enabled: true },
        cache: { folder },
      });
      await using server = await startServerProcess(config);
      const problem = await loopsMade(server);
      if (problem) {
        say(`Not measured: ${problem}`);
        return undefined;
      }
      const page = await browser.newPage();
      page.setDefaultTimeout(TURN_MS);
      if (options.script) await page.addInitScript({ content: options.script });
      await page.addInitScript({ content: WATCH });
      await page.goto(server.url);
      await page.waitForSelector('[data-link=ready]');
      await page.waitForSelector('.loop.on');
      return await use(new FacePage(page));
    } finally {
      await browser.close();
      await rm(folder, { recursive: true, force: true });
    }
  }

  /** Types `text`, whose answer is a new turn. */
  async ask(text: string): Promise<void> {
    await this.page.fill('#text', text);
    await this.page.press('#text', 'Enter');
  }

  /** The shown frames of clips so far. */
  frames(): Promise<FaceFrame[]> {
    return this.page.evaluate<FaceFrame[]>('face.frames');
  }

  /** Moments that the page marked by this name, by turn, in its milliseconds. */
  async marks(name: string): Promise<Map<number, number>> {
    const script = `performance.getEntriesByName('voice-chat:${name}').map((mark) => [mark.detail.turn, mark.startTime])`;
    return new Map(await this.page.evaluate<[number, number][]>(script));
  }
}

/** Waits until all base clips are made; what is wrong, where they are not. */
async function loopsMade({ url }: ServerProcess): Promise<string | undefined> {
  for (const until = performance.now() + LOOPS_MS; performance.now() < until; await sleep(500)) {
    const response = await fetch(`${url}/api/avatar`);
    if (!response.ok) continue;
    const { avatar } = (await response.json()) as { avatar?: AvatarView };
    if (avatar?.problem) return avatar.problem;
    if (avatar && Object.keys(avatar.loops).length >= 5 && avatar.making === undefined) return undefined;
  }
  return 'the base clips were not made in time; the log of voice-chat start says why.';
}
