// The main module of the thread that computes: ONNX Runtime blocks it, so that the process beside it goes on hearing.
import { parentPort, workerData } from 'node:worker_threads';
import { openGraph } from './graph-session.ts';
import type { Done, FromThread, Job, ThreadSettings } from './jobs.ts';
import { type Networks, openNetworks } from './open-networks.ts';
import type { Tensors } from './tensors.ts';

const port = parentPort!;
const settings = workerData as ThreadSettings;
const say = (said: FromThread) => port.postMessage(said);

let opened: Networks | undefined;
function networks(): Networks {
  if (!settings) throw new Error('This thread was given no networks.');
  opened ??= openNetworks(settings, (said) => say({ said }));
  return opened;
}

async function graph({ file, device, inputs }: Extract<Job, { kind: 'graph' }>): Promise<Done> {
  const began = performance.now();
  await using session = await openGraph(file, device, settings?.gpu ?? 0);
  const loaded = performance.now();
  const outputs: Tensors[] = [];
  for (const one of inputs) {
    // The input of a network of others may have any name.
    const named = '' in one ? { [session.inputs[0]!]: one['']! } : one;
    outputs.push(await session.run(named));
  }
  return { outputs, loadedMs: loaded - began, computedMs: performance.now() - loaded };
}

async function answer(job: Job): Promise<Done> {
  if (job.kind === 'graph') return graph(job);
  if (job.kind === 'device') return { chosen: await networks().device() };
  const chosen = await networks().device();
  const began = performance.now();
  const outputs = [await networks().run(job.network, job.inputs)];
  return { chosen, outputs, computedMs: performance.now() - began };
}

port.on('message', (job: Job) => {
  answer(job).then(
    (done) => say({ done }),
    (error: unknown) => say({ failed: error instanceof Error ? error.message : String(error) }),
  );
});
