import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandLine } from '../fixtures/command-line.ts';
import { pocketsphinx } from '../fixtures/pocketsphinx.ts';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

/** Node then looks for libraries of another machine, so that what is installed on this one is not found. */
const ELSEWHERE = "--import=data:text/javascript,Object.defineProperty(process,'arch',{value:'elsewhere'})";

const sphinx = await pocketsphinx();

/** As where npm left out the native part of koffi. */
const WITHOUT_KOFFI = `--import=data:text/javascript,${encodeURIComponent(`
  import { Module } from 'node:module';
  const load = Module._load;
  Module._load = (name, ...rest) => {
    if (name === 'koffi') throw new Error('Cannot find the native Koffi module');
    return load(name, ...rest);
  };`)}`;

describe.skipIf(sphinx.missing)(`with the library and nothing to call it${sphinx.missing ?? ''}`, () => {
  const scripted = { engine: 'scripted' };
  const config = (engine: string) => ({
    vad: scripted,
    asr: { engine },
    llm: scripted,
    tts: scripted,
    server: { port: 0 },
  });
  const env = { ...process.env, NODE_OPTIONS: WITHOUT_KOFFI };

  it('voice input is off where the recogniser was picked, and says which package to install', async () => {
    await using command = new CommandLine(['start'], config('auto'), env);
    const client = await WireClient.open(await command.url());
    expect(client.welcome.voiceInputOff).toMatch(
      /^Voice input is off, typing works\. .*: npm install @koromix\/koffi-/,
    );
    await client.chat('hello');
  });

  it('the start ends where it was named', async () => {
    await using command = new CommandLine(['start'], config('pocketsphinx'), env);
    expect((await command.ended).code).toBe(1);
    expect(command.output).toContain('npm install @koromix/koffi-');
    expect(command.output).not.toContain('Reinstall');
  });
});

describe('without the library of the recogniser, and no way to fetch it', () => {
  it.each(['pocketsphinx', 'auto'])(
    'voice input (%s) is off with a sentence that says how to get it, and typing works',
    async (engine) => {
      const folder = mkdtempSync(join(tmpdir(), 'voice-chat-'));
      const scripted = { engine: 'scripted' };
      const config = {
        vad: scripted,
        asr: { engine },
        llm: scripted,
        tts: scripted,
        cache: { folder },
        server: { port: 0 },
      };
      await using command = new CommandLine(['start'], config, { PATH: '', NODE_OPTIONS: ELSEWHERE });
      const url = await command.url();
      const client = await WireClient.open(url);
      const { voiceInputOff, engines } = client.welcome;
      expect(voiceInputOff).toMatch(/^Voice input is off, typing works\. apt-get cannot be run here/);
      expect(voiceInputOff).toMatch(/sudo apt-get install libpocketsphinx3 pocketsphinx-en-us/);
      expect(engines.asr).toBe('none');
      expect(command.output).toContain(voiceInputOff);
      const health = (await (await fetch(`${url}/healthz`)).json()) as object;
      expect(health).toMatchObject({ voiceInputOff });

      client.speak();
      expect(await client.first('error')).toMatchObject({ code: 'voice_input_off', message: voiceInputOff });
      await client.chat('hello');
      // Once is enough.
      expect(client.of('error')).toHaveLength(1);
      expect(client.of('user_said').map(({ typed }) => typed)).toEqual([true]);
      client.drop();
      rmSync(folder, { recursive: true, force: true });
    },
  );
});

describe('with asr.engine off', () => {
  it('typing works, and sound is told to be of no use', async () => {
    await using server = await startTestServer({ asr: { engine: 'off' } });
    const client = await WireClient.open(server.url);
    expect(client.welcome.voiceInputOff).toMatch(/asr\.engine: off/);
    client.speak();
    await client.first('error', ({ code }) => code === 'voice_input_off');
    await client.chat('hello');
    client.drop();
  });
});
