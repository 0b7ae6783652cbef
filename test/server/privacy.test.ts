import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandLine } from '../fixtures/command-line.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const CANARY = /marmalade|xylophone|quokka|zeppelin/i;

describe('what is said', () => {
  it('is in no log line, no figure and no error, whichever way it was said and whatever goes wrong', async () => {
    const own = { engine: 'scripted', ownProcess: true };
    await using command = new CommandLine(['start'], {
      server: { port: 0 },
      log: { level: 'debug' },
      vad: own,
      asr: { ...own, texts: ['my marmalade is purple'] },
      // The third typed or spoken turn crashes it: the first call is its trial.
      llm: { ...own, replies: ['The quokka plays the zeppelin. {said}'], failOnCall: 4, failure: 'crash' },
      tts: { engine: 'flite' },
    });
    const url = await command.url();
    const client = await WireClient.open(url);
    client.speak();
    const spoken = await client.first('user_said');
    expect(spoken.text).toMatch(CANARY);
    await client.hearAll(spoken.turn);
    await client.chat('buy me a xylophone');
    expect(
      client
        .of('reply_text')
        .map(({ text }) => text)
        .join(''),
    ).toMatch(/quokka.*marmalade.*xylophone/s);

    client.type('another xylophone');
    await client.first('notice', ({ text }) => text.includes('is running again'));
    client.socket.send('{"type":"text","text":"quokka');
    client.socket.send('{"type":"zeppelin"}');
    client.socket.send('{"type":"mic","mode":"marmalade"}');
    client.type(`${'xylophone '.repeat(1_000)}`);
    await client.chat('and a zeppelin');
    expect(client.of('error')).toHaveLength(5);
    for (const { message } of client.of('error')) expect(message).not.toMatch(CANARY);
    for (const { text } of client.of('notice')) expect(text).not.toMatch(CANARY);

    for (const path of ['/metrics', '/healthz', '/readyz', '/livez', '/zeppelin', '/?token=marmalade']) {
      const response = await fetch(url + path);
      expect(await response.text(), path).not.toMatch(CANARY);
    }
    client.say({ type: 'bye' });
    await client.closed;
    command.process.kill('SIGTERM');
    expect(await command.ended).toEqual({ code: 0, signal: null });
    // A line per turn is there, and says nothing of it.
    expect(command.output.match(/ INFO +turn .*outcome="completed"/g)).toHaveLength(3);
    expect(command.output.match(/ INFO +turn .*outcome="failed"/g)).toHaveLength(1);
    expect(command.output).not.toMatch(CANARY);
  });
});

describe('ONNX Runtime', () => {
  /** Everything below a home folder that a command was given, once it has ended or, with `isReady`, is up. */
  async function leftBy(args: string[], config: object, isReady: boolean): Promise<string[]> {
    const home = mkdtempSync(join(tmpdir(), 'voice-chat-home-'));
    // With these it would be silent by itself.
    const { ORT_DISABLE_TELEMETRY: _, ORT_TELEMETRY_DISABLED: __, CI: ___, XDG_CACHE_HOME: ____, ...env } = process.env;
    try {
      await using command = new CommandLine(args, config, { ...env, HOME: home });
      if (isReady) await command.url();
      else await command.ended;
      return readdirSync(home, { recursive: true, encoding: 'utf8' });
    } finally {
      rmSync(home, { recursive: true, force: true });
    }
  }

  it.each([
    ['doctor', false],
    ['start', true],
  ])('tells its makers nothing and gives this machine no number: %s', async (command, isReady) => {
    const scripted = { engine: 'scripted' };
    const vad = { engine: 'silero' };
    const config = { server: { port: 0 }, vad, asr: scripted, llm: scripted, tts: scripted };
    const left = await leftBy([command], { ...config, models: { offline: true } }, isReady);
    expect(left.filter((path) => /onnxruntime|deviceid/i.test(path))).toEqual([]);
  });
});
