import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTinyParakeet } from '../../src/bench/tiny-models/asr-parakeet.ts';
import { writeTinyWhisperGgml } from '../../src/bench/tiny-models/asr-whisper-ggml.ts';
import { Queue } from '../../src/server/async/queue.ts';
import type { SpeechRecognizer } from '../../src/server/engines/contracts.ts';
import type * as EngineProcessModule from '../../src/server/workers/engine-process.ts';
import type * as RemoteModule from '../../src/server/workers/remote-engines.ts';
import { built } from '../fixtures/built.ts';
import { notInstalled } from '../fixtures/installed.ts';
import { sounds } from '../fixtures/sounds.ts';
import { recognise } from './asr-suite.ts';

const { EngineProcess } = await built<typeof EngineProcessModule>('server/workers/engine-process.js');
const { remoteAsr } = await built<typeof RemoteModule>('server/workers/remote-engines.js');

const folder = mkdtempSync(join(tmpdir(), 'voice-chat-tiny-'));
afterAll(() => rmSync(folder, { recursive: true }));
const common = { language: 'en', threads: 1, name: 'tiny' };
const sherpa = { ...common, family: 'parakeet', files: await writeTinyParakeet(join(folder, 'parakeet')) };
const whisper = { ...common, file: await writeTinyWhisperGgml(join(folder, 'ggml.bin')), device: 'cpu' };
const never = new AbortController().signal;

const packages = notInstalled('sherpa-onnx-node', '@fugood/whisper.node');
describe.skipIf(process.platform !== 'linux' || packages).each([
  ['sherpa', 'Loud quiet', sherpa],
  ['whisper', 'Hello there.', whisper],
] as const)(`the %s recogniser in a process of its own${packages ?? ''}`, (name, text, settings) => {
  const start = (more: object = {}, news: string[] = []) =>
    EngineProcess.start({
      stage: 'asr',
      name,
      module: new URL(`../../dist/server/engines/${name}-asr.js`, import.meta.url),
      factory: 'create',
      settings: { ...settings, ...more },
      startMs: 30_000,
      stallMs: 10_000,
      canary: async (worker, signal) => {
        for await (const _ of remoteAsr(worker).recognize(silence(), signal)) return;
      },
      onNews: ({ state }) => news.push(state),
    });

  it('hears what it hears here, ends at an abort, and is loaded again when it is killed', async () => {
    const news: string[] = [];
    await using running = await start({}, news);
    expect(running.facts.runsOn).toBe('CPU, 1 thread');
    const asr: SpeechRecognizer = remoteAsr(running);
    const speech = sounds([0, 0.4], [0.5, 1], [0, 0.6]);
    const heard = async () => (await recognise(asr, speech)).at(-1)!.text;
    expect(await heard()).toBe(text);

    const abort = new AbortController();
    const given = new Queue<Float32Array>();
    given.push(speech);
    for await (const { final } of asr.recognize(given, abort.signal)) {
      expect(final).toBe(false);
      abort.abort();
    }

    const talking = new Queue<Float32Array>();
    talking.push(speech);
    const cut = (async () => {
      for await (const _ of asr.recognize(talking, never)) process.kill(childPid(), 'SIGKILL');
    })();
    await expect(cut).rejects.toThrow(new RegExp(`The asr engine ${name} crashed \\(SIGKILL\\)`));
    expect(await heard()).toBe(text);
    expect(news).toEqual(['down', 'up']);
  });

  it('says why it does not start', async () => {
    const none = join(folder, 'none');
    const files = { encoder: none, decoder: none, joiner: none, tokens: none };
    await expect(start({ file: none, files })).rejects.toThrow(/cannot be read.*voice-chat models pull tiny/);
  });
});

async function* silence() {
  yield new Float32Array(3_200);
}

/** The engine's process: the only child of this one that runs the worker host. */
function childPid(): number {
  const children = readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim().split(' ');
  return children.map(Number).find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workers/host'))!;
}
