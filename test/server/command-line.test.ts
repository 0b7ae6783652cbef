import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { CommandLine } from '../fixtures/command-line.ts';

const scripted = { engine: 'scripted' };
const engines = { vad: scripted, asr: scripted, llm: scripted, tts: scripted };

/** What a command that ends by itself said, and its exit code. */
async function run(args: string[], config?: object | string): Promise<{ code: number | null; output: string }> {
  await using command = new CommandLine(args, config);
  const { code } = await command.ended;
  return { code, output: command.output };
}

describe('voice-chat', () => {
  it('ends with 2 and a sentence per mistake when the configuration is wrong', async () => {
    const { code, output } = await run(['start'], 'server:\n  prot: 1\n  port: 80a\nlog:\n  level: loud\n');
    expect(code).toBe(2);
    const sentences = output.trim().split('\n');
    expect(sentences).toHaveLength(3);
    expect(sentences[0]).toMatch(/server\.port/);
    expect(output).toMatch(/server\.prot \(1\) is not a setting; did you mean server\.port\?/);
    expect(output).not.toMatch(/^\s+at /m);
  });

  it.each([
    [['start', '--config', 'no-such-file.yml'], /no-such-file\.yml does not exist; name another with --config/],
    [['start', '--port', '80a'], /--port 80a is not a port number/],
    [['start', '--port', '65536'], /--port 65536 is not a port number/],
    [['sing'], /There is no command "sing"; see voice-chat --help/],
    [['start', 'now'], /What is "now"\?/],
    [['--sing'], /--sing[\s\S]*See voice-chat --help/],
    [['start', '--config'], /--config[\s\S]*See voice-chat --help/],
  ])('%j ends with 2 and says what is wrong', async (args, sentence) => {
    const { code, output } = await run(args);
    expect(output).toMatch(sentence);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(2);
  });

  it('ends with 1 and the fix when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    // With an engine process: it must not keep the command from ending.
    const { code, output } = await run(['start'], {
      ...engines,
      tts: { ...scripted, ownProcess: true },
      server: { port },
    });
    other.close();
    expect(output.trim().split('\n').at(-1)).toBe(
      `Port ${port} on 127.0.0.1 is in use: end the other program, or set server.port in config.yml to another number.`,
    );
    expect(code).toBe(1);
  });

  it.each([
    [{ cert: 'no.pem', key: 'no.pem' }, /server\.tls\.cert: \S+no\.pem does not exist; name a PEM file/],
    [{ cert: 'config.yml', key: 'config.yml' }, /config\.yml are not a certificate and its key/],
  ])('ends with 1 and the fix when the certificate is %j', async (tls, sentence) => {
    const { code, output } = await run(['start', '--port', '0'], { ...engines, server: { tls } });
    expect(output).toMatch(sentence);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });

  it('ends with 1 and the reason when an engine cannot start', async () => {
    const tts = { ...scripted, ownProcess: true, failOnCall: 1, failure: 'crash' };
    const { code, output } = await run(['start', '--port', '0'], { ...engines, tts });
    expect(output).toMatch(/The tts engine scripted (crashed|failed)/);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });
});
