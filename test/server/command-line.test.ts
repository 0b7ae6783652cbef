import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { FakeHub } from '../../src/bench/fake-hub.ts';
import { MODELS } from '../../src/server/models/manifest.ts';
import { CommandLine, runs } from '../fixtures/command-line.ts';
import { modelBytes } from '../fixtures/model-store.ts';

const scripted = { engine: 'scripted' };
const engines = { vad: scripted, asr: scripted, llm: scripted, tts: scripted };

/** What a command that ends by itself said, and its exit code. */
async function run(args: string[], config?: object | string): Promise<{ code: number | null; output: string }> {
  await using command = new CommandLine(args, config);
  const { code } = await command.ended;
  return { code, output: command.output };
}

describe('voice-chat', () => {
  it('ends in silence when nobody reads on', async () => {
    await using command = new CommandLine(['models']);
    command.process.stdout!.destroy();
    expect(await command.ended).toEqual({ code: 0, signal: null });
    expect(command.output).toBe('');
  });

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
    [['doctr'], /There is no command "doctr"; did you mean doctor\? See voice-chat --help/],
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
    // Before any engine is opened, and any model for it fetched.
    const { code, output } = await run(['start'], { ...engines, server: { port } });
    other.close();
    expect(output.trim()).toBe(
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

  it('keeps what it has downloaded, and holds no lock, when it is stopped in the middle', async () => {
    await using hub = await FakeHub.start();
    const [folder, repo] = [
      mkdtempSync(join(tmpdir(), 'voice-chat-stop-')),
      'csukuangfj/sherpa-onnx-moonshine-tiny-en-int8',
    ];
    const model = MODELS.find(({ id }) => id === 'moonshine-tiny-en')!;
    for (const { path } of model.files) hub.put(repo, path, modelBytes(300_000));
    for (const { path } of model.files) hub.next('file', { kind: 'hang', afterBytes: 200_000 }, path);
    const asr = { engine: 'sherpa', model: model.id };
    await using command = new CommandLine(['start', '--port', '0'], {
      ...engines,
      asr,
      models: { folder, hub: hub.url },
    });
    await vi.waitFor(() => expect(hub.bytesServed).toBeGreaterThanOrEqual(200_000), { timeout: 20_000 });
    command.process.kill('SIGINT');
    expect(await command.ended).toEqual({ code: 1, signal: null });
    expect(command.output).toMatch(/SIGINT: ended before it was ready\. What was downloaded is kept/);
    const left = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    expect(left.filter((path) => path.endsWith('.incomplete')).length).toBeGreaterThan(0);
    expect(left.filter((path) => path.endsWith('.voice-chat'))).toEqual([]);
    rmSync(folder, { recursive: true });
  });

  it('ends at once, and its engines with it, when it is stopped while one of them loads', async () => {
    const tts = { ...scripted, ownProcess: true, failOnCall: 1, failure: 'block' };
    await using command = new CommandLine(['start', '--port', '0'], { ...engines, tts });
    const children = () => {
      const found = command.children();
      expect(found).not.toEqual([]);
      return found;
    };
    const [child] = await vi.waitFor(children, { timeout: 20_000 });
    command.process.kill('SIGTERM');
    expect(await command.ended).toEqual({ code: 1, signal: null });
    expect(command.output).toMatch(/SIGTERM: ended before it was ready/);
    expect(runs(child!)).toBe(false);
  });

  it('ends with 1 and the reason when an engine cannot start', async () => {
    const tts = { ...scripted, ownProcess: true, failOnCall: 1, failure: 'crash' };
    const { code, output } = await run(['start', '--port', '0'], { ...engines, tts });
    expect(output).toMatch(/The tts engine scripted (crashed|failed)/);
    expect(output).not.toMatch(/^\s+at /m);
    expect(code).toBe(1);
  });
});
