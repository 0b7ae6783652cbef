import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

/** Where Chromium is on this machine; undefined where it is not installed. */
export const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

const CLI = fileURLToPath(new URL('../../dist/server/cli.js', import.meta.url));

/** Engines without a model: whatever is said is understood as `said`, and `reply` is sung, one tone per word. */
export function scriptedConfig(said: string, reply: string, vad = 'scripted'): string {
  return JSON.stringify({
    server: { port: 0 },
    vad: { engine: vad },
    asr: { engine: 'scripted', texts: [said] },
    llm: { engine: 'scripted', replies: [reply] },
    tts: { engine: 'scripted' },
  });
}

/** A server of its own for a test, reached through a line that can be cut. */
export class TestServer {
  readonly url: string;
  readonly #process: ChildProcess;
  readonly #line: Server;
  readonly #sockets = new Set<Socket>();
  readonly #folder: string;

  private constructor(url: string, process: ChildProcess, line: Server, sockets: Set<Socket>, folder: string) {
    this.url = url;
    this.#process = process;
    this.#line = line;
    this.#sockets = sockets;
    this.#folder = folder;
  }

  static async start(config: string): Promise<TestServer> {
    if (!existsSync(CLI)) throw new Error('dist/ is missing; run npm run build first.');
    const folder = mkdtempSync(join(tmpdir(), 'voice-chat-page-'));
    writeFileSync(join(folder, 'config.yml'), config);
    const child = spawn(process.execPath, [CLI, 'start', '--config', join(folder, 'config.yml')]);
    const port = await portOf(child);
    const sockets = new Set<Socket>();
    const line = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [one, other] of [[near, far] as const, [far, near] as const]) {
        sockets.add(one);
        one.pipe(other);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          sockets.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => line.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(line.address() as AddressInfo).port}/`;
    return new TestServer(url, child, line, sockets, folder);
  }

  /** Breaks every connection, as a network does; new ones get through. */
  cutLine(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Twice is fine. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#line.close();
    this.cutLine();
    const ended = new Promise((resolve) => this.#process.once('exit', resolve));
    this.#process.kill('SIGKILL');
    await ended;
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function portOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    let said = '';
    const listen = (chunk: Buffer) => {
      said += chunk;
      const port = /open http:\/\/\S+:(\d+)/.exec(said)?.[1];
      if (port) resolve(Number(port));
    };
    child.stdout!.on('data', listen);
    child.stderr!.on('data', listen);
    child.once('exit', () => reject(new Error(`The server did not start: ${said}`)));
  });
}

/** A browser whose microphone plays this WAV file once, from the moment it is opened. */
export async function launch(wav?: string): Promise<Browser> {
  return chromium.launch({
    executablePath: CHROMIUM!,
    args: [
      '--headless=new',
      '--no-sandbox',
      '--use-fake-device-for-media-stream',
      ...(wav ? [`--use-file-for-fake-audio-capture=${wav}%noloop`] : []),
      '--disable-background-networking',
      '--disable-component-update',
    ],
    ignoreDefaultArgs: ['--mute-audio'],
  });
}

/** Opens the page and waits until it is connected; the microphone is allowed unless `options` say otherwise. */
export async function openPage(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ permissions: ['microphone'], ...options });
  const page = await context.newPage();
  await page.addInitScript(listenIn);
  await page.goto(url);
  await page.waitForSelector('[data-link=ready]');
  return page;
}

/** How loud the page was in the last 40 ms: root mean square, 0 to 1. */
export function loudness(page: Page): Promise<number> {
  return page.evaluate(() => window.loudness());
}

/** Runs in the page: puts a meter beside whatever goes to the loudspeaker. */
function listenIn(): void {
  const meters: AnalyserNode[] = [];
  const connectNodes = AudioNode.prototype.connect as (this: AudioNode, ...to: unknown[]) => AudioNode;
  AudioNode.prototype.connect = function (this: AudioNode, ...to: unknown[]) {
    if (to[0] instanceof AudioDestinationNode && this instanceof GainNode) {
      const meter = new AnalyserNode(this.context, { fftSize: 2048 });
      meters.push(meter);
      connectNodes.call(this, meter);
    }
    return connectNodes.apply(this, to);
  } as typeof AudioNode.prototype.connect;
  window.loudness = () => {
    const samples = new Float32Array(2048);
    let power = 0;
    for (const meter of meters) {
      meter.getFloatTimeDomainData(samples);
      power += samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
    }
    return Math.sqrt(power);
  };
}

declare global {
  interface Window {
    loudness(): number;
  }
}
