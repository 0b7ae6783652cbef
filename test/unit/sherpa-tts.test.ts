import { spawnSync } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EngineError, type SpeechSynthesizer } from '../../src/server/engines/contracts.ts';
import { sayable } from '../../src/server/engines/sherpa/tts-text.ts';
import { create } from '../../src/server/engines/sherpa-tts.ts';
import type * as EngineProcessModule from '../../src/server/workers/engine-process.ts';
import type * as RemoteEnginesModule from '../../src/server/workers/remote-engines.ts';
import { say } from '../contracts/tts-suite.ts';
import { built } from '../fixtures/built.ts';
import { tinyVoices } from '../fixtures/tiny-tts.ts';

const tiny = await tinyVoices();
const scratch = await mkdtemp(join(tmpdir(), 'voice-chat-sherpa-tts-'));
const open: AsyncDisposable[] = [];
afterAll(async () => {
  for (const engine of open) await engine[Symbol.asyncDispose]();
  await tiny.remove();
  await rm(scratch, { recursive: true, force: true });
});

const started = async (...args: Parameters<typeof tiny.settings>): Promise<SpeechSynthesizer> => {
  const tts = await create(await tiny.settings(...args));
  open.push(tts);
  return tts;
};

/** Crossings of zero per second: twice the pitch of a tone. */
const crossings = (samples: Float32Array, rate: number) =>
  (samples.filter((sample, i) => i > 0 && sample > 0 !== samples[i - 1]! > 0).length * rate) / samples.length;

describe.skipIf(tiny.missing)(`sherpa-onnx synthesis${tiny.missing ?? ''}`, () => {
  it('names the voices of the language as the model file does, the best first, and says where it runs', async () => {
    const tts = await started('kokoro');
    expect(tts.voices).toEqual(['af_heart', 'af_alloy', 'bm_george']);
    expect(tts.runsOn).toBe('CPU, 1 thread');
    expect((await started('vits', { speakers: 2 })).voices).toEqual(['speaker-0', 'speaker-1']);
  });

  it('takes names from the settings, and refuses them when they are not as many as the voices', async () => {
    const settings = await tiny.settings('vits', { speakers: 2 });
    const tts = await create({ ...settings, voices: ['ada', 'bob'] });
    open.push(tts);
    expect(tts.voices).toEqual(['ada', 'bob']);
    await expect(create({ ...settings, voices: ['ada'] })).rejects.toThrow('has 2 voices');
  });

  it.each(['kokoro', 'kitten', 'vits'] as const)('speaks with the voice that was asked for: %s', async (family) => {
    const tts = await started(family, { speakers: 3 });
    // In the tiny models each voice is higher than the one before it by a quarter of the first one's pitch.
    const names = family === 'vits' ? tts.voices : ['af_alloy', 'af_heart', 'bm_george'];
    const pitches: number[] = [];
    for (const name of names) pitches.push(crossings((await say(tts, 'Good morning.', name)).samples, tts.rate));
    expect(pitches[1]! / pitches[0]!).toBeCloseTo(1.25, 1);
    expect(pitches[2]! / pitches[0]!).toBeCloseTo(1.5, 1);
  });

  it('gives the beginning of a long phrase before its end is made: another phrase gets its turn in between', async () => {
    const tts = await started('vits');
    const order: string[] = [];
    const listen = async (name: string, phrase: string) => {
      for await (const _ of tts.speak(phrase, { name: '', speed: 1 }, new AbortController().signal)) order.push(name);
    };
    await Promise.all([listen('long', 'The dog is old. '.repeat(20)), listen('short', 'Good morning.')]);
    expect(order[0]).toBe('long');
    expect(order.lastIndexOf('short')).toBeLessThan(order.lastIndexOf('long'));
    expect(order.indexOf('short')).toBeLessThan(order.length / 4);
  });

  it('gives nothing after an abort, even one that comes while the first piece is made', async () => {
    const tts = await started('kokoro');
    const controller = new AbortController();
    const speech = tts.speak('Good morning.', { name: '', speed: 1 }, controller.signal)[Symbol.asyncIterator]();
    const first = speech.next();
    controller.abort();
    expect(await first).toEqual({ done: true, value: undefined });
    expect((await say(tts, 'Good morning.')).samples.length).toBeGreaterThan(tts.rate / 4);
  });

  it('plays no offset', async () => {
    const mean = async (offset: number) => {
      const { samples } = await say(await started('vits', { offset }), 'Good morning, old man.');
      return samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
    };
    expect(Math.abs((await mean(0.5)) - (await mean(0)))).toBeLessThan(0.001);
  });

  it('plays no clipped peak, however loud the model is', async () => {
    const { samples } = await say(await started('vits', { gain: 9 }), 'Good morning, old man.');
    const peak = samples.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
    expect(peak).toBeGreaterThan(0.9);
    expect(peak).toBeLessThan(1);
  });

  it('gives silence for a model that computes no numbers, instead of passing them on', async () => {
    const tts = await started('vits', { gain: Number.NaN });
    expect((await say(tts, 'Good morning.')).samples).toHaveLength(0);
  });

  it('says where every English word lies, those without sound too, and leaves other languages to the listener', async () => {
    const phrase = 'The dog is old. It costs $50 😀 in that house 🎉';
    const tts = await started('vits');
    const { words, samples } = await say(tts, phrase);
    expect(words.map(({ text }) => text)).toEqual(phrase.split(' '));
    // What is said of "$50" is longer than "costs", whatever is written.
    const length = (text: string) =>
      words.filter((word) => word.text === text).map(({ start, end }) => end - start)[0]!;
    expect(length('$50')).toBeGreaterThan(length('costs'));
    // The second sentence is made apart, so it is known where it begins: near the place of its share of the letters.
    expect(words[4]!.start / samples.length).toBeGreaterThan(0.2);
    expect(words[4]!.start / samples.length).toBeLessThan(0.45);
    const german = await create({ ...(await tiny.settings('vits')), language: 'de' });
    open.push(german);
    expect((await say(german, 'Guten Morgen.')).words).toEqual([]);
  });

  it('says of Chinese what its lexicon has, and nothing where it has nothing', async () => {
    const settings = await tiny.settings('kokoro');
    const lexicon = join(scratch, 'lexicon-zh.txt');
    await writeFile(lexicon, '你 n i\n好 h a o\n');
    const tts = await create({ ...settings, language: 'zh', files: { ...settings.files, 'lexicon-zh': lexicon } });
    open.push(tts);
    const length = async (phrase: string) => (await say(tts, phrase)).samples.length;
    expect(await length('鑫鑫鑫')).toBe(0);
    expect(await length('你好你好你好')).toBeGreaterThan(await length('你好'));
    expect(await length('你鑫好')).toBe(await length('你 好'));
  });

  it.each([
    ['de', 'w'],
    ['de', '7 '],
    ['zh', '好'],
    ['ja', 'ょ'],
    ['en', 'XWQ '],
    ['fr', '% '],
    ['en', 'wonderfully '],
  ] as const)(
    'takes as much of %s as anyone writes, though 510 phonemes at once end the process: %s',
    async (language, text) => {
      const { lexicon: _, 'lexicon-us': __, ...files } = (await tiny.settings('kokoro', { tokenSamples: 24 })).files;
      const tts = await create({ family: 'kokoro', files, language, threads: 1 });
      open.push(tts);
      for (const count of [100, 1_000]) {
        expect((await say(tts, `A ${text.repeat(count)}`)).samples.every(Number.isFinite)).toBe(true);
      }
    },
  );

  it('is loaded again after it was closed, and says that it is closed', async () => {
    const settings = await tiny.settings('matcha');
    for (let i = 0; i < 3; i++) {
      const tts = await create(settings);
      expect((await say(tts, 'Hello.')).samples.length).toBeGreaterThan(0);
      await tts[Symbol.asyncDispose]();
      await expect(say(tts, 'Hello.')).rejects.toThrow('closed');
    }
  });

  describe('says which file is broken, and what to do', () => {
    const broken = async (family: 'kokoro' | 'matcha', role: string, breakIt: (copy: string) => Promise<unknown>) => {
      const settings = await tiny.settings(family);
      const copy = join(scratch, `${family}-${role}-${Math.random()}`);
      await copyFile(settings.files[role]!, copy);
      await breakIt(copy);
      const failure = create({ ...settings, files: { ...settings.files, [role]: copy } });
      await expect(failure).rejects.toThrow(EngineError);
      await expect(failure).rejects.toThrow(copy);
      await expect(failure).rejects.toThrow('voice-chat models verify');
    };
    const half = async (file: string) => truncate(file, Math.floor((await readFile(file)).length / 2));

    it('missing', () => broken('kokoro', 'model', (file) => rm(file)));
    it('empty', () => broken('kokoro', 'lexicon-us', (file) => truncate(file, 0)));
    it.each(['model', 'voices'])('cut off: %s', (role) => broken('kokoro', role, half));
    it.each(['model', 'vocoder'])('cut off: %s of matcha', (role) => broken('matcha', role, half));
    it('no model at all', () => broken('kokoro', 'model', (file) => writeFile(file, '<!doctype html>'.repeat(99))));
    it('no tokens', () => broken('kokoro', 'tokens', (file) => writeFile(file, '<html>\nNot found\n</html>')));
    it('another model', async () => {
      const { files } = await tiny.settings('vits');
      await broken('kokoro', 'model', (file) => copyFile(files.model!, file));
    });
    it('damaged inside', () =>
      broken('kokoro', 'model', async (file) => {
        const bytes = await readFile(file);
        await writeFile(file, bytes.fill(0x80, 60, 200));
      }));
    it('espeak-ng without its data', async () => {
      const settings = await tiny.settings('vits');
      const failure = create({ ...settings, files: { ...settings.files, espeak: scratch } });
      await expect(failure).rejects.toThrow(join(scratch, 'phontab'));
    });
    it('a role that nobody named', async () => {
      const settings = await tiny.settings('matcha');
      const { vocoder: _, ...files } = settings.files;
      await expect(create({ ...settings, files })).rejects.toThrow('vocoder');
    });
  });

  it('speaks in a process of its own, and one that native code ends fails with a reason', async () => {
    const { EngineProcess } = await built<typeof EngineProcessModule>('server/workers/engine-process.js');
    const { remoteTts } = await built<typeof RemoteEnginesModule>('server/workers/remote-engines.js');
    const settings = await tiny.settings('kitten');
    const start = (used: object) =>
      EngineProcess.start({
        stage: 'tts',
        name: 'sherpa',
        module: new URL('../../dist/server/engines/sherpa-tts.js', import.meta.url),
        factory: 'create',
        settings: used,
        startMs: 30_000,
        stallMs: 30_000,
        canary: async (worker, signal) => {
          for await (const _ of remoteTts(worker).speak('Hello.', { name: '', speed: 1 }, signal)) return;
        },
      });
    const process = await start(settings);
    open.push(process);
    const tts = remoteTts(process);
    expect(tts.voices).toContain('af_heart');
    expect(process.facts.runsOn).toBe('CPU, 1 thread');
    expect((await say(tts, 'Good morning.')).samples.length).toBeGreaterThan(tts.rate / 4);

    const twice = join(scratch, 'tokens-twice.txt');
    await writeFile(twice, (await readFile(settings.files.tokens!, 'utf8')).repeat(2));
    const failure = start({ ...settings, files: { ...settings.files, tokens: twice } });
    await expect(failure).rejects.toThrow(/crashed/);
  });
});

describe.skipIf(tiny.missing)(`privacy${tiny.missing ?? ''}`, () => {
  it.each(['kokoro', 'vits', 'matcha', 'kitten'] as const)(
    'nothing of what is said is printed by native code: %s',
    async (family) => {
      const settings = await tiny.settings(family);
      const module = new URL('../../dist/server/engines/sherpa-tts.js', import.meta.url).href;
      const secrets = [
        '!!!',
        '😀',
        '你好世界',
        'secret',
        'ｓｅｃｒｅｔ',
        'x'.repeat(3_000),
        '\u0000secret',
        '...',
        "''",
      ];
      const program = `
      const { create } = await import(${JSON.stringify(module)});
      for (const language of ['en', 'ja']) {
        const tts = await create({ ...${JSON.stringify(settings)}, language });
        for (const phrase of ${JSON.stringify(secrets)}) {
          for await (const _ of tts.speak(phrase, { name: '', speed: 1 }, new AbortController().signal));
        }
      }`;
      const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
        encoding: 'utf8',
      });
      // Sounds that a model has no token for are named by their code: they are no words.
      const told = stderr.replace(/^.*Skip unknown phonemes\. Unicode codepoint: \\U\+[0-9a-f]+\.$\n?/gm, '');
      expect({ status, stdout, told }).toEqual({ status: 0, stdout: '', told: '' });
    },
  );
});

describe('what a model is given to say', () => {
  const texts = (phrase: string, language: Parameters<typeof sayable>[1]) =>
    sayable(phrase, language).map(({ text }) => text);

  it('has numbers and symbols in words where the language is English', () => {
    expect(texts('It costs $5 at 3:30. OK?', 'en')).toEqual(['It costs five dollars at three thirty.', 'okay?']);
  });

  it('has no dots inside that would end a sentence', () => {
    expect(texts('Come at 10:15 a.m. or at 5 p.m. please.', 'en')).toEqual([
      'Come at ten fifteen ay M or at five P M please.',
    ]);
  });

  it('is cut at the ends of sentences, and long sentences at a comma', () => {
    expect(texts('Guten Tag. Wie geht es Ihnen?', 'de')).toEqual(['Guten Tag.', 'Wie geht es Ihnen?']);
    const long = `${'Das ist ein langer Satz ohne Ende und ohne Punkt und er geht weiter'}, ${'und weiter '.repeat(40)}`;
    const cut = texts(long, 'de');
    expect(cut[0]).toMatch(/weiter,$/);
    for (const piece of cut) expect(piece.length).toBeLessThan(240);
  });

  it('keeps the scripts of the language and its marks, and nothing else', () => {
    expect(texts('你好，世界！今天天气很好。', 'zh')).toEqual(['你好，世界！', '今天天气很好。']);
    expect(texts('こんにちは、元気？', 'ja')).toEqual(['こんにちは、元気？']);
    expect(texts('Grüße 😀 aus Zürich 你好 *heute*', 'de')).toEqual(['Grüße aus Zürich heute']);
  });

  it('leaves out Chinese characters that the model has no sound for', () => {
    const known = new Set('你好世界');
    expect(sayable('你好，鑫世界！', 'zh', known).map(({ text }) => text)).toEqual(['你好， 世界！']);
    expect(sayable('日本語をはなす', 'ja', new Set()).map(({ text }) => text)).toEqual(['をはなす']);
    expect(sayable('日本語', 'ja', new Set())).toEqual([]);
  });

  it.each(['de', 'zh', 'en'] as const)('is nothing where there is nothing to say: %s', (language) => {
    for (const phrase of ['', ' ', '!!! ???', '😀😀', '*** ___', '\u0000 \ud800'])
      expect(texts(phrase, language)).toEqual([]);
  });

  it.each(['de', 'en', 'zh'] as const)('is never long, whatever was written: %s', (language) => {
    for (const phrase of [
      '7'.repeat(5_000),
      'a'.repeat(5_000),
      '! '.repeat(5_000),
      '好'.repeat(5_000),
      'a, b; '.repeat(2_000),
    ]) {
      for (const piece of texts(phrase, language)) expect(piece.length).toBeLessThan(1_000);
    }
  });
});
