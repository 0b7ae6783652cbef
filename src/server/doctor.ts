import { constants } from 'node:fs';
import { access, mkdir, statfs } from 'node:fs/promises';
import type { Config } from './config.ts';
import { isLoopback } from './config.ts';
import { plansFor, planText } from './doctor-plan.ts';
import { videoChecks } from './doctor-video.ts';
import { providePocketSphinx } from './engines/pocketsphinx/files.ts';
import { loadKoffi } from './engines/pocketsphinx/library.ts';
import type { Check, Finding } from './machine/check.ts';
import type { Probe } from './machine/machine.ts';
import { machineChecks } from './machine/machine-checks.ts';
import { packageChecks } from './machine/package-checks.ts';
import { probe } from './machine/probe.ts';
import { whyReadOnly } from './models/disk-space.ts';
import { ModelStore } from './models/store.ts';
import { portProblem } from './port-problem.ts';

/** Looks at this machine and prints a table and the plan (or JSON); exit code 1 if something would keep voice-chat from working. */
export async function doctor(config: Config, json: boolean): Promise<number> {
  const signal = AbortSignal.timeout(180_000);
  const unreachable = await new ModelStore(config.models).reachable(AbortSignal.timeout(10_000)).catch(String);
  const found = await probe({ modelsFolder: config.models.folder, hub: unreachable === undefined }, signal);
  const checks = await examine(config, found, unreachable, signal);
  const failed = checks.some(({ result }) => result === 'fail');
  const plans = await plansFor(config, found, signal).catch((error: Error) => error.message);
  if (json)
    process.stdout.write(
      `${JSON.stringify({ ok: !failed, checks, probe: found, plan: typeof plans === 'string' ? { problem: plans } : plans.now })}\n`,
    );
  else process.stdout.write(checks.map(line).join('') + (typeof plans === 'string' ? `\n${plans}\n` : planText(plans)));
  return failed ? 1 : 0;
}

const line = ({ name, result, found, fix }: Check): string =>
  `${result.padEnd(4)}  ${name.padEnd(16)}  ${found}${fix ? `\n${' '.repeat(24)}→ ${fix}` : ''}\n`;

/** All checks, one after another: the machine, the optional packages, then what the configuration needs. */
async function examine(
  config: Config,
  found: Probe,
  unreachable: string | undefined,
  signal: AbortSignal,
): Promise<Check[]> {
  const checks: [string, () => Finding | Promise<Finding>][] = [
    ['model hub', () => hub(config, unreachable)],
    ['models to write', () => modelsToWrite(config)],
    ['cache folder', () => cacheFolder(config.cache.folder)],
    ['port', () => port(config.server)],
    ['address', () => address(config.server)],
    ['voice detector', voiceDetector],
    ['recogniser', () => recogniser(config)],
    ['language model', () => languageModel(config)],
    ...videoChecks(config, found.gpus, signal),
  ];
  const done: Check[] = [...machineChecks(found), ...(await packageChecks(signal))];
  for (const [name, check] of checks) done.push({ name, ...(await check()) });
  return done;
}

function hub({ models }: Config, unreachable: string | undefined): Finding {
  if (unreachable === undefined) return { result: 'pass', found: `${models.hub} answers` };
  const found = `${models.hub} is not asked: ${unreachable}`;
  if (models.offline) return { result: 'pass', found };
  return { result: 'warn', found, fix: 'Without it, models that are on disk are used, and the embedded engines else.' };
}

async function modelsToWrite({ models: { folder, offline } }: Config): Promise<Finding> {
  const problem = await whyReadOnly(folder);
  if (problem === undefined) return { result: 'pass', found: `${folder} can be written` };
  const found = `no model can be fetched into ${folder}: ${problem}`;
  if (offline) return { result: 'pass', found };
  return { result: 'warn', found, fix: 'Give this user the right to write there, or set models.folder in config.yml.' };
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
  const problem = await portProblem(host, port);
  if (problem === undefined) return { result: 'pass', found: `${host}:${port} is free` };
  return { result: 'fail', found: `${host}:${port} cannot be opened`, fix: problem };
}

function address({ host }: Config['server']): Finding {
  if (isLoopback(host)) {
    return {
      result: 'pass',
      found: `${host}: this machine only; browsers give the microphone to http://localhost and to https, to nothing else`,
    };
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
  if (asr.engine !== 'auto' && asr.engine !== 'pocketsphinx') {
    return { result: 'pass', found: `asr.engine: ${asr.engine}` };
  }
  try {
    const files = await providePocketSphinx({ cacheDir: cache.folder, offline: true }, new AbortController().signal);
    const problem = koffiProblem();
    if (problem !== undefined) return { result: 'warn', found: problem, fix: 'Typing works without.' };
    return { result: 'pass', found: `embedded: pocketsphinx, model in ${files.acousticModel}` };
  } catch (error) {
    const fix =
      'npm start fetches it where the Debian mirror can be reached; or use the line above. Typing works without.';
    return { result: 'warn', found: (error as Error).message, fix };
  }
}

function koffiProblem(): string | undefined {
  try {
    loadKoffi();
    return undefined;
  } catch (error) {
    return `PocketSphinx is here; ${(error as Error).message}`;
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
