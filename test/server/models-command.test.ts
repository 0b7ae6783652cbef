import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { sha256 } from '../../src/bench/fake-hub.ts';
import { parseConfig } from '../../src/server/config.ts';
import type { Conversion, Made } from '../../src/server/conversions.ts';
import type { ModelEntry } from '../../src/server/models/model-entry.ts';
import { modelsCommand } from '../../src/server/models-command.ts';
import { CommandLine } from '../fixtures/command-line.ts';
import { anEntry, modelBytes, StoreBench } from '../fixtures/model-store.ts';

const BYTES = modelBytes(200_000);
const tiny = anEntry([{ role: 'encoder', path: 'encoder.onnx' }], { totalBytes: 200_000 });
const other = anEntry([{ role: 'encoder', path: 'other.onnx' }], {
  id: 'other',
  title: 'Other',
  totalBytes: 2_500_000_000,
});

/** A hub with `tiny`, and the command on its cache. */
async function withCommand() {
  const bench = await StoreBench.open();
  bench.hub.put('some/model', 'encoder.onnx', BYTES);
  const never = new AbortController().signal;
  const models = { folder: bench.folder, hub: bench.hub.url };
  return Object.assign(bench, {
    async run(
      args: string[],
      more: {
        planned?: () => Promise<ModelEntry[]>;
        offline?: boolean;
        json?: boolean;
        signal?: AbortSignal;
        conversion?: Conversion;
      } = {},
    ) {
      let output = '';
      let screen = '';
      const { planned, offline = false, json = false, signal = never, conversion } = more;
      const context = {
        config: parseConfig(JSON.stringify({ models: { ...models, offline }, cache: { folder: bench.folder } })),
        json,
        models: [tiny, other],
        conversions: new Map(conversion ? [[tiny.id, conversion]] : []),
        output: { write: (text: string) => (output += text) },
        screen: { write: (text: string) => (screen += text) },
        ...(planned && { planned }),
      };
      const code = await modelsCommand(args, context, signal);
      return { code, output, screen };
    },
  });
}

describe('voice-chat models', () => {
  it('lists every model with its size and licence, and where it lies, without the network', async () => {
    await using command = await withCommand();
    await command.run(['pull', 'tiny']);
    const before = command.hub.requests.length;
    const { code, output } = await command.run([], { planned: async () => [tiny, other] });
    expect(code).toBe(0);
    const rows = output.split('\n');
    expect(rows[0]).toMatch(/^stage {2}id +title +languages +licence +size +on this disk$/);
    expect(rows[1]).toMatch(/^asr +tiny +Tiny +en +MIT +0\.2 MB +\S+models--some--model\S+$/);
    expect(rows[2]).toMatch(
      /^asr +other +Other +en +MIT +2\.50 GB +not here, but needed; voice-chat models pull other$/,
    );
    expect(output).toMatch(/^vad +\(embedded\) +silero v6 /m);
    expect((await command.run(['list'])).output).toMatch(/^asr +other .* -$/m);
    const json = JSON.parse((await command.run([], { json: true })).output);
    expect(json.models[0]).toMatchObject({ id: 'tiny', onDisk: true, bytes: 200_000, licence: 'MIT' });
    expect(json.models[1]).toMatchObject({ id: 'other', onDisk: false, bytes: 2_500_000_000 });
    expect(command.hub.requests.length).toBe(before);
  });

  it('pulls what is named, or what this machine would use, having said how much that is', async () => {
    await using command = await withCommand();
    const { code, output, screen } = await command.run(['pull'], { planned: async () => [tiny] });
    expect(code).toBe(0);
    expect(screen).toMatch(/^0\.2 MB in 1 file to download into \S+\.\n/);
    expect(screen).toMatch(/100 % {2}0\.2 MB of 0\.2 MB\n$/);
    expect(output).toMatch(/^tiny is here: \S+models--some--model\S+\n$/);
    const again = await command.run(['pull', 'tiny', 'tiny'], { offline: true });
    expect(again).toEqual({ code: 0, output, screen: '' });
  });

  it('that is interrupted says that what came is kept', async () => {
    await using command = await withCommand();
    command.hub.next('file', { kind: 'hang', afterBytes: 100_000 });
    const partial = join(command.folder, 'models--some--model', 'blobs', `${sha256(BYTES)}.incomplete`);
    const stop = new AbortController();
    const pulled = command.run(['pull', 'tiny'], { signal: stop.signal });
    await expect.poll(() => existsSync(partial) && statSync(partial).size).toBe(100_000);
    stop.abort();
    const { code, screen } = await pulled;
    expect(code).toBe(1);
    expect(screen).toMatch(
      /50 % {2}0\.1 MB of 0\.2 MB\nStopped\. What came is kept: pull again to go on from there\.\n$/,
    );
  });

  it('verifies what is here, and names the mending', async () => {
    await using command = await withCommand();
    expect(await command.run(['verify'])).toMatchObject({ code: 0, output: 'No model of the list is on this disk.\n' });
    await command.run(['pull', 'tiny']);
    expect(await command.run(['verify'])).toMatchObject({ code: 0, output: 'tiny: 1 file right\n' });
    expect(await command.run(['verify', 'other'])).toMatchObject({
      code: 1,
      output: 'other: not here; voice-chat models pull other\n',
    });
    writeFileSync(join(command.folder, 'models--some--model', 'blobs', sha256(BYTES)), modelBytes(200_000, 5));
    expect(await command.run(['verify', 'tiny'], { offline: true })).toMatchObject({
      code: 1,
      output:
        'tiny: encoder.onnx is wrong: its checksum is wrong\ntiny: mend it with: voice-chat models remove tiny && voice-chat models pull tiny\n',
    });
    const { models } = JSON.parse((await command.run(['verify'], { json: true })).output);
    expect(models).toMatchObject([{ id: 'tiny', ok: false, files: [{ state: 'wrong' }] }]);
  });

  describe('of a model that has to be converted', () => {
    /** Makes 50 kB in two steps, or waits for the signal in the middle. */
    function fakeConversion(hangs = false): Conversion & { given: string[] } {
      let made: Made | undefined;
      const given: string[] = [];
      return {
        given,
        find: async () => made,
        async make({ files }, onProgress, say, signal) {
          given.push(...Object.keys(files));
          onProgress('frame', 0.5);
          if (hangs) await new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
          onProgress('check', 1);
          say('A card paints 30 frames a second.');
          made = { folder: '/converted', bytes: 50_000 };
          return made;
        },
        remove: async () => {
          const bytes = made?.bytes ?? 0;
          made = undefined;
          return bytes;
        },
      };
    }

    it('pull converts it with progress, list and verify know whether it is, and remove frees both', async () => {
      await using command = await withCommand();
      const conversion = fakeConversion();
      await command.run(['pull', 'tiny']);
      expect((await command.run(['list'], { conversion })).output).toMatch(
        /^asr +tiny .*models--some--model\S+, not converted; voice-chat models pull tiny$/m,
      );
      expect(await command.run(['verify', 'tiny'], { conversion })).toMatchObject({
        code: 1,
        output: 'tiny: not converted; voice-chat models pull tiny\n',
      });
      const pulled = await command.run(['pull', 'tiny'], { conversion, offline: true });
      expect(pulled.code).toBe(0);
      expect(conversion.given).toEqual(['encoder']);
      expect(pulled.screen).toBe(
        ' 50 %  converting: frame\n100 %  converting: check\nA card paints 30 frames a second.\n',
      );
      expect(pulled.output).toMatch(/^tiny is here: \S+, converted: \/converted\n$/);
      const { models } = JSON.parse((await command.run(['pull', 'tiny'], { conversion, json: true })).output);
      expect(models).toMatchObject([{ id: 'tiny', bytes: 200_000, converted: { path: '/converted', bytes: 50_000 } }]);
      expect((await command.run(['list'], { conversion })).output).toMatch(/^asr +tiny .*, converted: \/converted$/m);
      expect((await command.run(['verify'], { conversion })).output).toBe('tiny: 1 file right\n');
      expect((await command.run(['remove', 'tiny'], { conversion })).output).toBe('tiny: 0.3 MB freed\n');
      const listed = JSON.parse((await command.run(['list'], { conversion, json: true })).output);
      expect(listed.models[0]).toMatchObject({ id: 'tiny', onDisk: false, converted: null });
    });

    it('pull says what is worth knowing before it fetches, and verify which converted files are damaged', async () => {
      await using command = await withCommand();
      const notice = async () => 'There is no card.';
      const conversion = { ...fakeConversion(), notice, damaged: async () => ['frame.data'] };
      const { screen } = await command.run(['pull', 'tiny'], { conversion });
      expect(screen).toMatch(/^There is no card\.\n0\.2 MB in 1 file to download/);
      expect((await command.run(['pull', 'tiny'], { conversion })).screen).not.toContain('There is no card');
      expect(await command.run(['verify', 'tiny'], { conversion })).toMatchObject({
        code: 1,
        output:
          'tiny: converted frame.data is wrong: its checksum is wrong\ntiny: mend it with: delete /converted, then voice-chat models pull tiny, which fetches nothing\n',
      });
      const { models } = JSON.parse((await command.run(['verify'], { conversion, json: true })).output);
      expect(models).toMatchObject([{ id: 'tiny', ok: false, converted: true, damaged: ['frame.data'] }]);
    });

    it('fetches nothing where it could not be converted', async () => {
      await using command = await withCommand();
      const conversion = { ...fakeConversion(), problem: async () => 'There is no ONNX Runtime: install it.' };
      await expect(command.run(['pull', 'tiny'], { conversion })).rejects.toThrow('There is no ONNX Runtime');
      expect(command.hub.requests).toEqual([]);
    });

    it('says what is kept when the conversion is stopped', async () => {
      await using command = await withCommand();
      const stop = new AbortController();
      const conversion = fakeConversion(true);
      const pulled = command.run(['pull', 'tiny'], { conversion, signal: stop.signal });
      await expect.poll(() => conversion.given).toHaveLength(1);
      stop.abort();
      const { code, screen } = await pulled;
      expect(code).toBe(1);
      expect(screen).toMatch(/\nStopped\. What was downloaded is kept; pull again to convert it\.\n$/);
      expect(await command.run(['verify', 'tiny'])).toMatchObject({ code: 0 });
    });
  });

  it('removes, and says what that freed', async () => {
    await using command = await withCommand();
    await command.run(['pull', 'tiny']);
    expect(await command.run(['remove', 'tiny'])).toMatchObject({ code: 0, output: 'tiny: 0.2 MB freed\n' });
    expect(await command.run(['remove', 'tiny'])).toMatchObject({ code: 0, output: 'tiny was not here\n' });
  });

  it.each([
    [['pull', 'tinny'], 'There is no model "tinny"; did you mean tiny?'],
    [['verify', 'something-else'], 'There is no model "something-else"; voice-chat models lists them.'],
    [['pull'], 'Name the models to pull'],
    [['remove'], 'Name the models to remove'],
    [['sing'], 'There is no command "models sing"; there are list, pull, verify and remove.'],
    [['list', 'tiny'], 'What is "tiny"?'],
  ])('%j is refused with a sentence', async (args, sentence) => {
    await using command = await withCommand();
    await expect(command.run(args)).rejects.toThrow(sentence);
  });
});

describe('the command line', () => {
  it('lists as JSON, and ends with 2 for a command that does not exist', async () => {
    await using list = new CommandLine(['models', '--json'], {});
    expect((await list.ended).code).toBe(0);
    const { models } = JSON.parse(list.output);
    expect(models).toContainEqual(expect.objectContaining({ stage: 'vad', title: 'silero v6', onDisk: true }));
    await using wrong = new CommandLine(['models', 'sing'], {});
    expect((await wrong.ended).code).toBe(2);
    expect(wrong.output).toBe('There is no command "models sing"; there are list, pull, verify and remove.\n');
  });
});
