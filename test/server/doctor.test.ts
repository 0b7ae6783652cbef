import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CommandLine } from '../fixtures/command-line.ts';

const examine = async (args: string[], config: object) => {
  await using command = new CommandLine(['doctor', ...args], config);
  const { code } = await command.ended;
  return { code, output: command.output };
};
/** Asks no network, and opens whatever port is free. */
const QUIET = { server: { port: 0 }, models: { offline: true } };

describe('voice-chat doctor', () => {
  it('prints a line for every check, and the plan below', async () => {
    const { code, output } = await examine([], QUIET);
    expect(code).toBe(0);
    for (const name of [
      'node',
      'processor',
      'memory',
      'card',
      'vulkan',
      'ffmpeg',
      'models folder',
      'model hub',
      'port',
    ]) {
      expect(output).toMatch(new RegExp(`^(pass|warn)  ${name} +\\S`, 'm'));
    }
    expect(output).toMatch(/^(pass|warn) {2}package +sherpa-onnx-node /m);
    expect(output).toMatch(/^llm {3}\S.*\.$/m);
    expect(output).toMatch(/An answer should begin \d+ to \d+ ms after you stop \(expected, not measured here/);
  });

  it('goes on where the cache folder cannot be made, also with a face', async () => {
    const folder = '/dev/null/voice-chat';
    const { code, output } = await examine([], { ...QUIET, cache: { folder }, video: { enabled: true } });
    expect(code).toBe(1);
    expect(output).toMatch(/^fail {2}cache folder +\/dev\/null\/voice-chat: /m);
    expect(output).toMatch(/^warn {2}video disk +\/dev\/null\/voice-chat: /m);
  });

  it('tells a program the same as JSON', async () => {
    const { code, output } = await examine(['--json'], QUIET);
    const { ok, checks, probe, plan } = JSON.parse(output);
    expect([code, ok]).toEqual([0, true]);
    expect(checks.map(({ name }: { name: string }) => name)).toContain('voice detector');
    expect(probe.cpu.cores).toBeGreaterThan(0);
    expect(plan).toMatchObject({ asr: { why: expect.any(String) }, expected: { voiceToVoiceMs: {} } });
  });

  it('fails, with the fix, where the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const { port } = taken.address() as AddressInfo;
    const { code, output } = await examine([], { ...QUIET, server: { port } });
    taken.close();
    expect(code).toBe(1);
    expect(output).toMatch(/^fail {2}port +127\.0\.0\.1:\d+ cannot be opened\n +→ Port \d+ on \S+ is in use: end/m);
  });

  it('warns, with the fix, where models cannot be written', async () => {
    const folder = join(import.meta.filename, 'hub');
    const hub = 'http://127.0.0.1:9';
    const { code, output } = await examine([], { ...QUIET, models: { folder, hub } });
    expect(code).toBe(0);
    expect(output).toMatch(
      /^warn {2}models to write +no model .*doctor\.test\.ts is a file\n +→ .*set models\.folder/m,
    );
  });

  it('plans nothing where the configuration names every engine', async () => {
    const { output } = await examine(['--json'], {
      ...QUIET,
      asr: { engine: 'scripted' },
      llm: { engine: 'scripted' },
      tts: { engine: 'scripted' },
    });
    const { plan } = JSON.parse(output);
    expect([plan.asr, plan.llm, plan.tts]).toEqual([undefined, undefined, undefined]);
  });
});
