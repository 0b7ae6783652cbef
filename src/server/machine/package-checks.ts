import { fileURLToPath } from 'node:url';
import type { Check } from './check.ts';
import { LIBRARIES_BESIDES } from './native-builds.ts';
import { installedPackages, PACKAGES } from './packages.ts';
import { thisSystem, tryRun } from './system.ts';

const USES = {
  sherpa: 'neural recognition and speech on the processor',
  llama: 'a neural language model',
  whisper: 'recognition on a graphics card',
  ort: 'more microphones at once, and Kokoro on a graphics card',
} as const;

/** Tries every optional package in a process of its own, one after another: there, absent, or there and broken. */
export async function packageChecks(signal: AbortSignal): Promise<Check[]> {
  const installed = await installedPackages();
  const checks: Check[] = [];
  for (const key of ['sherpa', 'llama', 'whisper', 'ort'] as const) {
    const name = PACKAGES[key];
    const fix = `npm install ${name} (${USES[key]})`;
    if (!installed[key]) {
      checks.push({ name: 'package', result: 'warn', found: `${name} is not installed`, fix });
      continue;
    }
    const problem = await problemOf(name, signal);
    const cuda = key === 'ort' ? `, ${installed.ortCuda ? 'with' : 'without'} its CUDA library` : '';
    if (problem === undefined) checks.push({ name: 'package', result: 'pass', found: `${name} loads${cuda}` });
    else
      checks.push({
        name: 'package',
        result: 'warn',
        found: `${name} does not load: ${problem}`,
        fix: libraryFix(problem) ?? fix,
      });
  }
  return checks;
}

/** Where it is not the package that is missing but a library of the system. */
function libraryFix(problem: string): string | undefined {
  const known = Object.entries(LIBRARIES_BESIDES).find(([library]) => problem.includes(library));
  return known && `Install ${known[1]}.`;
}

async function problemOf(name: string, signal: AbortSignal): Promise<string | undefined> {
  const loader = fileURLToPath(new URL('./load-package.js', import.meta.url));
  const done = await tryRun(thisSystem(), process.execPath, [loader, name], 30_000, signal);
  if (done === 'hung') return 'it did not answer within 30 seconds';
  if (done === 'missing') return 'Node cannot be started a second time';
  if (done.code === 0) return undefined;
  if (done.code === null) return 'it ended the process';
  return /(?:^|\n)\w*Error[^:\n]*: ([^\n]{1,200})/.exec(done.output)?.[1] ?? `exit code ${done.code}`;
}
