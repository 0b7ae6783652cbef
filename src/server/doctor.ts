import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import { createServer } from 'node:net';
import { cpus, totalmem } from 'node:os';
import type { Config } from './config.ts';
import { isLoopback } from './config.ts';
import { providePocketSphinx } from './engines/pocketsphinx/files.ts';

/** One thing that was looked at; `fix` says what to do where it is not fine. */
export type Check = {
  readonly name: string;
  readonly result: 'pass' | 'warn' | 'fail';
  readonly found: string;
  readonly fix?: string;
};

type Finding = Omit<Check, 'name'>;

/** Looks at this machine and prints a table (or JSON); exit code 1 if something would keep voice-chat from working. */
export async function doctor(config: Config, json: boolean): Promise<number> {
  const checks = await examine(config);
  const failed = checks.some(({ result }) => result === 'fail');
  if (json) process.stdout.write(`${JSON.stringify({ ok: !failed, checks })}\n`);
  else process.stdout.write(checks.map(line).join(''));
  return failed ? 1 : 0;
}

const line = ({ name, result, found, fix }: Check): string =>
  `${result.padEnd(4)}  ${name.padEnd(16)}  ${found}${fix ? `\n${' '.repeat(24)}→ ${fix}` : ''}\n`;

/** All checks, one after another. */
export async function examine(config: Config): Promise<Check[]> {
  const checks: [string, () => Finding | Promise<Finding>][] = [
    ['node', node],
    ['machine', machine],
    ['cache folder', () => cacheFolder(config.cache.folder)],
    ['port', () => port(config.server)],
    ['address', () => address(config.server)],
    ['voice detector', voiceDetector],
    ['recogniser', () => recogniser(config)],
    ['language model', () => languageModel(config)],
  ];
  const done: Check[] = [];
  for (const [name, check] of checks) done.push({ name, ...(await check()) });
  return done;
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const found = `Node ${process.versions.node}`;
  const fine = major > 20 || (major === 20 && minor >= 19);
  return fine ? { result: 'pass', found } : { result: 'fail', found, fix: 'Install Node 20.19 or newer.' };
}

function machine(): Finding {
  const gib = totalmem() / 2 ** 30;
  const found = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown processor'}, ${gib.toFixed(1)} GiB memory`;
  if (gib >= 2) return { result: 'pass', found };
  return { result: 'warn', found, fix: 'The embedded engines want about 1 GiB for themselves; close other programs.' };
}

async function cacheFolder(folder: string): Promise<Finding> {
  try {
    await mkdir(folder, { recursive: true });
    await access(folder, constants.W_OK);
    const { bavail, bsize } = await statfs(folder);
    const gib = (bavail * bsize) / 2 ** 30;
    const found = `${folder}, ${gib.toFixed(1)} GiB free`;
    if (gib >= 0.5) return { result: 'pass', found };
    return { result: 'warn', found, fix: 'Free some disk, or set cache.folder in config.yml to a larger disk.' };
  } catch (error) {
    const fix = 'Set cache.folder in config.yml to a folder that can be written.';
    return { result: 'fail', found: `${folder}: ${(error as Error).message}`, fix };
  }
}

async function port({ host, port }: Config['server']): Promise<Finding> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once('error', (error: NodeJS.ErrnoException) => {
      const found = `${host}:${port} cannot be opened (${error.code})`;
      resolve({ result: 'fail', found, fix: 'End what uses it, or set server.port in config.yml.' });
    });
    probe.listen(port, host, () => probe.close(() => resolve({ result: 'pass', found: `${host}:${port} is free` })));
  });
}

function address({ host }: Config['server']): Finding {
  if (isLoopback(host)) {
    return { result: 'pass', found: `${host}: this machine only; browsers allow the microphone on http://localhost` };
  }
  return { result: 'pass', found: `${host}: open to other machines, over TLS and with a token` };
}

async function voiceDetector(): Promise<Finding> {
  const { loadSilero } = await import('./engines/silero-model.ts');
  try {
    const model = await loadSilero('v6', 'auto');
    await model.release();
    if (model.runtime === 'native') return { result: 'pass', found: 'silero on onnxruntime-node' };
    const fix = 'npm install onnxruntime-node (about five times as many microphones at once)';
    return { result: 'warn', found: 'silero on WebAssembly', fix };
  } catch (error) {
    return { result: 'fail', found: (error as Error).message, fix: 'Run npm ci again.' };
  }
}

async function recogniser({ asr, cache }: Config): Promise<Finding> {
  if (asr.engine === 'off' || asr.engine === 'scripted') return { result: 'pass', found: `asr.engine: ${asr.engine}` };
  try {
    const files = await providePocketSphinx({ cacheDir: cache.folder, offline: true }, new AbortController().signal);
    return { result: 'pass', found: `pocketsphinx, model in ${files.acousticModel}` };
  } catch (error) {
    const fix =
      'npm start fetches it where the Debian mirror can be reached; or use the line above. Typing works without.';
    return { result: 'warn', found: (error as Error).message, fix };
  }
}

async function languageModel({ llm }: Config): Promise<Finding> {
  if (llm.engine !== 'openai') return { result: 'pass', found: `llm.engine: ${llm.engine}` };
  const { probe } = await import('./engines/openai-llm.ts');
  try {
    const models = await probe(llm, AbortSignal.timeout(5_000));
    return { result: 'pass', found: `${llm.baseUrl} offers ${models.join(', ')}` };
  } catch (error) {
    return { result: 'fail', found: (error as Error).message, fix: 'Start that server, or correct llm.baseUrl.' };
  }
}
