import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { toneOf } from '../../src/bench/tiny-models/tts-graphs.ts';
import { TINY_KOKORO_VOICES, type TinyTtsOptions, writeTinyTts } from '../../src/bench/tiny-models/tts-models.ts';
import { EngineError, type SpeechSynthesizer } from '../../src/server/engines/contracts.ts';
import { chooseDevice } from '../../src/server/engines/kokoro/choose-device.ts';
import type { KokoroNetwork } from '../../src/server/engines/kokoro/network.ts';
import { create, type KokoroTtsSettings } from '../../src/server/engines/kokoro-tts.ts';
import type * as EngineProcessModule from '../../src/server/workers/engine-process.ts';
import type * as RemoteEnginesModule from '../../src/server/workers/remote-engines.ts';
import { say } from '../contracts/tts-suite.ts';
import { built } from '../fixtures/built.ts';
import { notInstalled } from '../fixtures/installed.ts';

const missing = notInstalled('onnxruntime-node');

const folder = await mkdtemp(join(tmpdir(), 'voice-chat-kokoro-'));
const open: AsyncDisposable[] = [];
afterAll(async () => {
  for (const engine of open) await engine[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

let count = 0;
async function settings(options: TinyTtsOptions = {}): Promise<KokoroTtsSettings> {
  const files = await writeTinyTts('kokoro', join(folder, String(count++)), options);
  return { files, language: 'en', device: 'cpu', threads: 1 };
}
async function started(options: TinyTtsOptions = {}): Promise<SpeechSynthesizer> {
  const tts = await create(await settings(options));
  open.push(tts);
  return tts;
}

const TOKEN = 960;

/** The power of a tone of `hertz` in `samples`, by the correlation with both its phases. */
function power(samples: Float32Array, rate: number, hertz: number): number {
  let [sine, cosine] = [0, 0];
  for (const [i, sample] of samples.entries()) {
    sine += sample * Math.sin((2 * Math.PI * hertz * i) / rate);
    cosine += sample * Math.cos((2 * Math.PI * hertz * i) / rate);
  }
  return (sine ** 2 + cosine ** 2) / samples.length ** 2;
}

describe.skipIf(missing)(`Kokoro with ONNX Runtime${missing ?? ''}`, () => {
  it('speaks the phonemes of the lexicon, in order, with the style for as many tokens', async () => {
    const tts = await started();
    // af_alloy is the voice with the plain pitch; "cat" is k ˈ æ t, and a full stop and a space follow.
    const { samples } = await say(tts, 'Cat.', 'af_alloy');
    const tokens = (await readFile((await settings()).files.tokens!, 'utf8')).split('\n');
    const id = (sound: string) => Number(tokens.find((line) => line.startsWith(`${sound} `))!.slice(sound.length + 1));
    for (const [i, sound] of ['k', 'ˈ', 'æ', 't', '.'].entries()) {
      // One token of padding comes first.
      const part = samples.subarray((i + 1) * TOKEN + 100, (i + 2) * TOKEN - 100);
      const own = power(part, tts.rate, toneOf(id(sound)));
      expect(own, sound).toBeGreaterThan(0.01);
      expect(power(part, tts.rate, toneOf(id(sound) + 9)), sound).toBeLessThan(own / 10);
    }
  });

  it('says words that nobody wrote down: more letters take longer', async () => {
    const tts = await started();
    const length = async (phrase: string) => (await say(tts, phrase)).samples.length;
    expect(await length('Bramblefudge.')).toBeGreaterThan(await length('Bram.'));
    expect(await length('GPU.')).toBeGreaterThan((TOKEN * 8) / 2);
  });

  it('places words exactly where the network tells how long its tokens last', async () => {
    const tts = await started({ durations: true });
    // Padding, then h ə l ˈ O (5) with a space, then m ˈ æ n (4) with its mark and a space.
    const { words } = await say(tts, 'Hello man.');
    const near = (value: number, tokens: number) => expect(Math.abs(value - tokens * TOKEN)).toBeLessThan(TOKEN / 4);
    near(words[0]!.start, 1);
    near(words[0]!.end, 7);
    near(words[1]!.start, 7);
    near(words[1]!.end, 13);
  });

  it('estimates where words lie to within a few tokens where the network does not tell', async () => {
    const phrase = 'The old dog is in that house and the cat is not.';
    const exact = (await say(await started({ durations: true }), phrase)).words;
    const estimate = (await say(await started(), phrase)).words;
    for (const [i, word] of exact.entries()) {
      expect(Math.abs(word.start - estimate[i]!.start), word.text).toBeLessThan(4 * TOKEN);
    }
  });

  it('cuts what is longer than the network takes between words', async () => {
    const tts = await started();
    const { samples, words } = await say(tts, 'antidisestablishmentarianism '.repeat(60));
    expect(words).toHaveLength(60);
    expect(samples.length).toBeGreaterThan(60 * 15 * TOKEN);
  });

  it('names its voices as the model does, and takes other names', async () => {
    expect((await started()).voices).toEqual(['af_heart', 'af_alloy', 'bm_george']);
    const tts = await create({ ...(await settings()), voices: ['am_one', 'am_two', 'am_three'] });
    open.push(tts);
    expect(tts.voices).toEqual(['am_one', 'am_two', 'am_three']);
    expect(TINY_KOKORO_VOICES).toHaveLength(3);
  });

  it('sends other languages to the engine that speaks them', async () => {
    await expect(create({ ...(await settings()), language: 'fr' })).rejects.toThrow('set tts.engine to sherpa');
  });

  it('says that it is closed', async () => {
    const tts = await create(await settings());
    await tts[Symbol.asyncDispose]();
    await expect(say(tts, 'Hello.')).rejects.toThrow('closed');
  });

  it('speaks in a process of its own', async () => {
    const { EngineProcess } = await built<typeof EngineProcessModule>('server/workers/engine-process.js');
    const { remoteTts } = await built<typeof RemoteEnginesModule>('server/workers/remote-engines.js');
    const process = await EngineProcess.start({
      stage: 'tts',
      name: 'kokoro',
      module: new URL('../../dist/server/engines/kokoro-tts.js', import.meta.url),
      factory: 'create',
      settings: await settings(),
      startMs: 30_000,
      stallMs: 30_000,
      canary: async (worker, signal) => {
        for await (const _ of remoteTts(worker).speak('Hello.', { name: '', speed: 1 }, signal)) return;
      },
    });
    open.push(process);
    const { words } = await say(remoteTts(process), 'Good morning.');
    expect(words.map(({ text }) => text)).toEqual(['Good', 'morning.']);
  });
});

describe.skipIf(missing)(`a Kokoro file that is broken is named, with what to do${missing ?? ''}`, () => {
  const broken = async (role: string, breakIt: (copy: string) => Promise<unknown>) => {
    const given = await settings();
    const copy = join(folder, `broken-${count++}`);
    await copyFile(given.files[role]!, copy);
    await breakIt(copy);
    const failure = create({ ...given, files: { ...given.files, [role]: copy } });
    await expect(failure).rejects.toThrow(EngineError);
    await expect(failure).rejects.toThrow(copy);
    await expect(failure).rejects.toThrow('voice-chat models verify');
  };
  it('missing', () => broken('lexicon-us', (file) => rm(file)));
  it('empty', () => broken('tokens', (file) => truncate(file, 0)));
  it.each(['model', 'voices'])('cut off: %s', (role) => broken(role, (file) => truncate(file, 999)));
  it('no tokens', () => broken('tokens', (file) => writeFile(file, '<html>')));
  it('no model for this engine at all', async () => {
    const { lexicon: _, 'lexicon-us': __, ...files } = (await settings()).files;
    await expect(create({ ...(await settings()), files })).rejects.toThrow('tts.model');
  });
});

describe.skipIf(missing)(`where Kokoro computes${missing ?? ''}`, async () => {
  const backends = missing ? [] : (await import('onnxruntime-node')).listSupportedBackends();
  const hasCuda = backends.some(({ name, bundled }) => name === 'cuda' && bundled);

  it.skipIf(hasCuda)('is nowhere when CUDA was asked for and is not there: no silent fallback', async () => {
    const failure = create({ ...(await settings()), device: 'cuda' });
    await expect(failure).rejects.toThrow(EngineError);
    await expect(failure).rejects.toThrow('--onnxruntime-node-install=cuda12');
  });

  it.skipIf(hasCuda)('is the CPU for auto where CUDA is not there, and says why', async () => {
    const tts = await create({ ...(await settings()), device: 'auto' });
    open.push(tts);
    expect(tts.runsOn).toMatch(/^CPU, 1 thread \(Kokoro cannot run with CUDA here/);
  });

  const network = (device: 'cuda' | 'cpu', closed: string[]): KokoroNetwork => ({
    device,
    speak: async () => ({ samples: new Float32Array(1) }),
    close: async () => {
      closed.push(device);
    },
  });

  it.each([
    [12, 340, 'cuda', 'cpu', 'CUDA (12 ms for a short phrase with CUDA, 340 ms on the CPU)'],
    [90, 30, 'cpu', 'cuda', 'CPU (90 ms for a short phrase with CUDA, 30 ms on the CPU)'],
  ] as const)('is the faster one for auto: %i against %i ms', async (cudaMs, cpuMs, kept, left, where) => {
    const closed: string[] = [];
    const said: Record<string, number[]> = { cuda: [], cpu: [] };
    const chosen = await chooseDevice(
      'auto',
      async (device) => network(device, closed),
      // The first phrase counts for nothing: that is where CUDA loads its code. An outlier counts for little.
      async ({ device }, phrase) => {
        said[device]!.push(phrase);
        return phrase === 0 || phrase === 2 ? 9_999 : device === 'cuda' ? cudaMs : cpuMs;
      },
      'CPU',
    );
    expect(said.cuda).toEqual([0, 1, 2, 3]);
    expect(said.cpu).toEqual(said.cuda);
    expect(chosen.network.device).toBe(kept);
    expect(closed).toEqual([left]);
    expect(chosen.runsOn).toBe(where);
  });

  it('is the CPU where CUDA loads but fails at its first call', async () => {
    const closed: string[] = [];
    const chosen = await chooseDevice(
      'auto',
      async (device) => network(device, closed),
      async ({ device }) => {
        if (device === 'cuda') throw new Error('out of memory');
        return 5;
      },
      'CPU, 2 threads',
    );
    expect(chosen.network.device).toBe('cpu');
    expect(closed).toEqual(['cuda']);
    expect(chosen.runsOn).toBe('CPU, 2 threads (out of memory)');
  });
});
