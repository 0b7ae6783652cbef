import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CommandLine, runs } from '../fixtures/command-line.ts';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const own = { engine: 'scripted', ownProcess: true };
const words = (count: number) => `${Array.from({ length: count }, () => 'word').join(' ')}.`;
const config = (llm: object) => ({ vad: own, asr: own, llm: { ...own, ...llm }, tts: own, server: { port: 0 } });

/** A server with four engine processes and a client of it. */
async function start(llm: object): Promise<{ command: CommandLine; client: WireClient; engines: number[] }> {
  const command = new CommandLine(['start'], config(llm));
  const client = await WireClient.open(await command.url());
  const engines = command.children();
  expect(engines).toHaveLength(4);
  return { command, client, engines };
}

async function gone(pids: readonly number[]): Promise<void> {
  await expect.poll(() => pids.filter(runs), { timeout: 5_000 }).toEqual([]);
}

// Which processes a process started is read from /proc.
describe.skipIf(!existsSync('/proc/self/stat'))(
  'a server that is told to end (skipped where there is no /proc)',
  () => {
    it.each(['SIGTERM', 'SIGINT'] as const)(
      'by %s says so, lets the reply finish, and leaves nothing behind',
      async (signal) => {
        const { command, client, engines } = await start({ replies: [words(30)] });
        await using _ = command;
        client.type('talk');
        await client.speech(1);
        expect(client.of('reply_done')).toEqual([]);
        command.process.kill(signal);
        expect(await client.first('goaway')).toMatchObject({ timeLeftMs: 10_000 });
        await expect(WireClient.connect(await command.url())).rejects.toThrow();
        await client.hearAll(1);
        expect(await client.closed).toMatchObject({ code: 1001 });
        expect(client.of('flush')).toEqual([]);
        expect(await command.ended).toEqual({ code: 0, signal: null });
        expect(command.output).toMatch(/outcome="completed"/);
        await gone(engines);
      },
    );

    it('twice ends at once with 1, and leaves nothing behind, not even an engine that computes', async () => {
      const { command, client, engines } = await start({ failOnCall: 2, failure: 'block' });
      await using _ = command;
      client.type('think for ever');
      await client.first('user_said');
      command.process.kill('SIGTERM');
      await client.first('goaway');
      command.process.kill('SIGTERM');
      expect(await command.ended).toEqual({ code: 1, signal: null });
      await gone(engines);
    });

    it('does not wait for sockets that do not answer', async () => {
      const { command, client, engines } = await start({});
      await using _ = command;
      const silent = await WireClient.connect(await command.url());
      client.socket.pause();
      silent.socket.pause();
      command.process.kill('SIGTERM');
      expect(await command.ended).toEqual({ code: 0, signal: null });
      await gone(engines);
      // Half a minute is what such a socket is given otherwise.
    }, 15_000);

    it('ends its engines also when it is killed', async () => {
      const { command, client, engines } = await start({});
      await using _ = command;
      await client.chat('hello');
      command.process.kill('SIGKILL');
      await command.ended;
      await gone(engines);
    });
  },
);

describe('a server that stops', () => {
  it('does not wait longer than the grace for a reply that nobody hears to its end', async () => {
    await using server = await startTestServer({ llm: { engine: 'scripted', replies: [words(100)] } });
    const client = await WireClient.open(server.url);
    client.type('talk');
    await client.speech(1, client.welcome.speechRate);
    await server.stop(100);
    expect(client.of('goaway')).toMatchObject([{ timeLeftMs: 100 }]);
    expect(await client.closed).toMatchObject({ code: 1001 });
    await server.stop(0);
  });

  it('takes no new sessions while it waits for a reply', async () => {
    await using server = await startTestServer({ llm: { engine: 'scripted', firstTokenMs: 400, replies: ['Yes.'] } });
    const [client, other] = [await WireClient.open(server.url), await WireClient.connect(server.url)];
    client.type('talk');
    await client.first('user_said');
    const stopped = server.stop(10_000);
    await client.first('goaway');
    other.say({ type: 'hello', version: client.welcome.version });
    expect(await other.closed).toMatchObject({ code: 1013 });
    await client.hearAll(1);
    expect(await client.closed).toMatchObject({ code: 1001 });
    await stopped;
  });
});
