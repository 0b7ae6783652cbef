import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinedSamples } from '../../src/protocol/pcm.ts';
import { padded, synthesise } from '../fixtures/speech.ts';
import { readWav, writeWav } from '../fixtures/wav.ts';
import { CHROMIUM, launch, loudness, openPage, scriptedConfig, TestServer } from './page-fixture.ts';

const REPLY =
  'It is just past seven in the evening and I am going to tell you about it for quite a while. ' +
  'I run on this machine alone, word after word, and I stop as soon as you speak to me again.';
const RECORDING = fileURLToPath(new URL('../../../shared/data/speech/jfk/jfk.wav', import.meta.url));

const folder = mkdtempSync(join(tmpdir(), 'voice-chat-wav-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Speaks over the reply: the second recording begins when the first reply is well under way. */
async function talkAndInterrupt(page: Page): Promise<void> {
  await page.click('#talk');
  await page.waitForSelector('.user:not(.partial)');
  expect(await page.textContent('.user')).toContain('what time is it');
  await page.waitForFunction(() => window.loudness() > 0.02);
  await page.waitForSelector('[data-phase=speaking] .word');

  await page.waitForSelector('.unheard');
  const [flush, silent] = await page.evaluate(() => {
    const mark = (name: string) => performance.getEntriesByName(name)[0] as PerformanceMark | undefined;
    return ['voice-chat:flush', 'voice-chat:silent'].map((name) => ({
      at: mark(name)?.startTime ?? 0,
      turn: mark(name)?.detail?.turn,
    }));
  });
  expect(flush).toMatchObject({ turn: 1 });
  expect(silent).toMatchObject({ turn: 1 });
  expect(silent!.at).toBeGreaterThanOrEqual(flush!.at);
  await page.waitForFunction(() => window.loudness() === 0);

  const said = await page.evaluate(() => {
    const reply = document.querySelector('.reply')!.cloneNode(true) as HTMLElement;
    for (const note of reply.querySelectorAll('.sr-only, .cut-note')) note.remove();
    const words = (element: Element) => (element.textContent ?? '').trim().split(/\s+/);
    return { all: words(reply), unheard: words(reply.querySelector('.unheard')!) };
  });
  expect(said.unheard.length).toBeGreaterThan(0);
  expect(said.all.length).toBeGreaterThan(said.unheard.length);
  expect(REPLY.split(' ').slice(0, said.all.length)).toEqual(said.all);
}

describe.skipIf(!CHROMIUM)('spoken to (needs Chromium)', () => {
  let server: TestServer;
  let browser: Browser | undefined;
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });

  test('it writes down what was said, answers aloud, and is silent when spoken over', async () => {
    const first = padded(await synthesise('What time is it?'), 700, 3000);
    const second = padded(await synthesise('Stop now, please, that is quite enough for me.'), 0, 20_000);
    const wav = join(folder, 'synthetic.wav');
    writeWav(wav, { rate: first.rate, samples: joinedSamples([first.samples, second.samples]) });
    server = await TestServer.start(scriptedConfig('what time is it', REPLY));
    browser = await launch(wav);
    const page = await openPage(browser, server.url);
    await talkAndInterrupt(page);
    await page.close();
    await browser.close();
    await server.stop();
  });

  test.skipIf(!existsSync(RECORDING))('so it is with a real recording and Silero (needs ../shared/data)', async () => {
    const { rate, samples } = readWav(RECORDING);
    const piece = (from: number, to: number) => ({ rate, samples: samples.slice(from * rate, to * rate) });
    const sound = joinedSamples([
      padded(piece(0.2, 2.3), 700, 3000).samples,
      padded(piece(3.2, 5.5), 0, 20_000).samples,
    ]);
    const wav = join(folder, 'real.wav');
    writeWav(wav, { rate, samples: sound });
    server = await TestServer.start(scriptedConfig('what time is it', REPLY, 'silero'));
    browser = await launch(wav);
    const page = await openPage(browser, server.url);
    await talkAndInterrupt(page);
  });
});

describe.skipIf(!CHROMIUM)('the page (needs Chromium)', () => {
  let server: TestServer;
  let browser: Browser;
  beforeAll(async () => {
    server = await TestServer.start(scriptedConfig('hello there', REPLY));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  const open = (options?: Parameters<typeof openPage>[2]) => openPage(browser, server.url, options);
  const say = async (page: Page, text: string) => {
    await page.fill('#text', text);
    await page.press('#text', 'Enter');
  };

  test('answers what is typed, without a microphone, and Esc interrupts it', async () => {
    const page = await open({ permissions: [] });
    await say(page, 'hello by hand');
    await page.waitForSelector('[data-phase=speaking] .word');
    expect(await page.textContent('.user')).toContain('hello by hand');
    await page.waitForFunction(() => window.loudness() > 0.02);
    await page.keyboard.press('Escape');
    await page.waitForSelector('.unheard');
    await page.waitForFunction(() => window.loudness() === 0);
    await page.waitForSelector('[data-phase=idle]');
    await page.close();
  });

  test('a reply that is not interrupted is heard to its end', async () => {
    const short = await TestServer.start(scriptedConfig('x', 'Three short words.'));
    const page = await openPage(browser, short.url);
    await say(page, 'go on');
    await page.waitForSelector('[data-phase=speaking]');
    await page.waitForSelector('[data-phase=idle]');
    expect(await page.locator('.unheard').count()).toBe(0);
    expect(await page.textContent('.reply')).toContain('Three short words.');
    expect(await loudness(page)).toBe(0);
    await page.close();
    await short.stop();
  });

  test('says what to do when the microphone is refused, and typing still works', async () => {
    const page = await open({ permissions: [] });
    await page.click('#talk');
    await page.waitForSelector('#problem:not([hidden])');
    expect(await page.textContent('#problem')).toMatch(/not allowed.*Allow it/);
    await say(page, 'still here');
    await page.waitForSelector('.reply');
    await page.close();
  });

  test('goes on with the same session after the line broke, with captions, sound and microphone', async () => {
    const page = await open();
    await say(page, 'before the break');
    await page.waitForSelector('[data-phase=speaking] .word');
    const session = await page.evaluate(() => sessionStorage.getItem('voice-chat:session'));
    server.cutLine();
    await page.waitForSelector('[data-link=lost]');
    await page.waitForSelector('[data-link=ready]');
    expect(await page.evaluate(() => sessionStorage.getItem('voice-chat:session'))).not.toBe(session);
    expect(await page.locator('.divider').count()).toBe(0);
    expect(await page.textContent('.user')).toContain('before the break');
    await page.waitForSelector('.unheard');
    await say(page, 'after it');
    await page.waitForSelector('.exchange:nth-child(n+3) .word');
    await page.waitForFunction(() => window.loudness() > 0.02);
    await page.click('#talk');
    await page.waitForSelector('[data-live=true]');
    await page.close();
  });

  test('shows the conversation again when it is reloaded', async () => {
    const page = await open();
    await say(page, 'remember this');
    await page.waitForSelector('.reply');
    await page.reload();
    await page.waitForSelector('.user');
    expect(await page.textContent('.user')).toContain('remember this');
    await page.close();
  });

  test('Space talks while push-to-talk is on, and types in the text box', async () => {
    const page = await open();
    await page.click('#ptt');
    await page.click('#talk');
    await page.waitForSelector('#hold:not([hidden])');
    await page.keyboard.down(' ');
    await page.waitForSelector('[data-phase=hearing]');
    await page.keyboard.up(' ');
    await page.waitForSelector('body:not([data-phase=hearing])');
    await page.click('#text');
    await page.keyboard.type('a b');
    expect(await page.inputValue('#text')).toBe('a b');
    expect(await page.getAttribute('body', 'data-phase')).not.toBe('hearing');
    await page.close();
  });

  test('can be worked by keyboard alone', async () => {
    const page = await open();
    for (let i = 0; i < 30; i++) {
      await page.keyboard.press('Tab');
      if (await page.evaluate(() => document.activeElement?.id === 'talk')) break;
    }
    expect(await page.evaluate(() => document.activeElement?.matches('#talk:focus-visible'))).toBe(true);
    await page.keyboard.press('Enter');
    await page.waitForSelector('[data-live=true]');
    await page.keyboard.press(' ');
    await page.waitForSelector('[data-live=false]');
    await page.close();
  });

  test.each([
    [360, 740],
    [640, 400],
    [1280, 800],
  ])('at %d × %d nothing is cut off sideways and every target is large enough', async (width, height) => {
    const page = await open({ viewport: { width, height }, permissions: [] });
    await page.click('#talk');
    await page.waitForSelector('#problem:not([hidden])');
    await say(page, `Donaudampfschifffahrtsgesellschaft${'x'.repeat(80)}`);
    await page.waitForSelector('.latency');
    const found = await page.evaluate(() => ({
      overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
      small: [...document.querySelectorAll('button')]
        .filter((button) => button.checkVisibility())
        .filter((button) => button.offsetWidth < 44 || button.offsetHeight < 44)
        .map((button) => button.id || button.className),
    }));
    expect(found).toEqual({ overflow: 0, small: [] });
    await page.close();
  });

  test('the assistant speaks with the voice that is chosen, also after a reload', async () => {
    const page = await open();
    await page.click('#open-settings');
    await page.selectOption('#voices', 'tone-600');
    await page.locator('#speed').fill('2');
    expect(await page.textContent('#speed-text')).toBe('2.00 ×');
    await page.reload();
    await page.waitForSelector('[data-link=ready]');
    await page.click('#open-settings');
    await expect.poll(() => page.inputValue('#voices')).toBe('tone-600');
    expect(await page.inputValue('#speed')).toBe('2');
    await page.close();
  });

  test('runs under the strict content policy without a complaint', async () => {
    const page = await browser.newPage();
    const complaints: string[] = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(server.url);
    await page.waitForSelector('[data-link=ready]');
    await page.click('.chip');
    await page.waitForSelector('.word');
    for (const panel of ['details', 'settings']) {
      await page.click(`#open-${panel}`);
      await page.waitForSelector(`#${panel}[open]`);
      await page.keyboard.press('Escape');
      await page.waitForSelector(`#${panel}:not([open])`, { state: 'attached' });
    }
    expect(complaints).toEqual([]);
    await page.close();
  });
});

describe.skipIf(!CHROMIUM)('while engines fail (needs Chromium)', () => {
  test('it says of each failure once, and never so much that the captions are covered', async () => {
    const failing = { ownProcess: true, failOnCall: 2, failure: 'crash' };
    const config = JSON.parse(scriptedConfig('hello', 'Here I am.'));
    const server = await TestServer.start(JSON.stringify({ ...config, llm: { ...config.llm, ...failing } }));
    const browser = await launch();
    try {
      const page = await openPage(browser, server.url);
      for (let turn = 0; turn < 2; turn++) {
        await page.fill('#text', 'hello');
        await page.press('#text', 'Enter');
        await page.waitForSelector('.toast:last-child:has-text("is running again")');
      }
      const toasts = await page.locator('.toast').allTextContents();
      expect(new Set(toasts).size).toBe(toasts.length);
      expect(toasts.length).toBeLessThanOrEqual(3);
    } finally {
      await browser.close();
      await server.stop();
    }
  });
});
