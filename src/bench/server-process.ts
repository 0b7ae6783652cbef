import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A server in a process of its own, as a user starts it. */
export type ServerProcess = AsyncDisposable & {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything it has logged so far. */
  readonly log: string[];
  /** A figure from /metrics, labels as written there; 0 if it is not there. */
  metric(name: string): Promise<number>;
};

/** Starts `voice-chat start` on a free port with a configuration; rejects with what it said if it ends instead. */
export async function startServerProcess(config: object): Promise<ServerProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-'));
  const file = join(folder, 'config.yml');
  // JSON is YAML.
  await writeFile(file, JSON.stringify(config));
  const cli = fileURLToPath(new URL('../server/cli.js', import.meta.url));
  const child = spawn(process.execPath, [cli, 'start', '--config', file, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const log: string[] = [];
  const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const url = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stderr! }).on('line', (line) => log.push(line));
    createInterface({ input: child.stdout! }).on('line', (line) => {
      const found = /open (https?:\S+) and talk/.exec(line)?.[1];
      if (found) resolve(found);
    });
    void ended.then((code) => reject(new Error(`The server ended with code ${code}: ${log.join('\n')}`)));
  });
  return {
    url,
    process: child,
    log,
    async metric(name) {
      const text = await (await fetch(`${url}/metrics`)).text();
      const line = text.split('\n').find((one) => one.startsWith(`${name} `));
      return Number(line?.slice(name.length + 1) ?? 0);
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A configuration of scripted engines that add no delay; `over` replaces whole stages or sections. */
export function scriptedConfig(over: Record<string, object> = {}): object {
  const engine = { engine: 'scripted' };
  return { log: { level: 'warn' }, vad: engine, asr: engine, llm: engine, tts: engine, ...over };
}
