import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';

/** Chromium without a window, with a microphone of its own and no mute; or why it is not there. */
export async function launchChromium(): Promise<Browser | string> {
  const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
  if (!executablePath) return 'Chromium is not installed (apt-get install chromium).';
  const playwright = await import('playwright-core').catch(() => undefined);
  if (!playwright) return 'the npm package playwright-core is not installed.';
  return playwright.chromium.launch({
    executablePath,
    args: ['--headless=new', '--no-sandbox', '--use-fake-ui-for-media-stream', '--use-fake-device-for-media-stream'],
    ignoreDefaultArgs: ['--mute-audio'],
  });
}
