import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PackagesUnavailable, provideDebianPackages } from '../../src/server/models/debian-packages.ts';
import { type CommandRunner, runCommand } from '../../src/server/models/run-command.ts';

const signal = new AbortController().signal;
let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'voice-chat-debian-'));
});
afterEach(() => rm(cacheDir, { recursive: true, force: true }));

/** Looks for a file that no system has, so only the cache can hold it. */
const request = {
  packages: ['voice-chat-example'],
  locate: async (roots: readonly string[]) =>
    roots.map((root) => join(root, 'opt/voice-chat-example/model')).find((file) => existsSync(file)),
};

/** Acts like apt-get and dpkg; `log` is what they were asked. */
function apt(log: string[], behaviour: { install?: number; brings?: string } = {}): CommandRunner {
  return async (command, args) => {
    log.push([command, ...args].join(' '));
    if (command === 'dpkg') {
      const folder = join(args[2]!, 'opt/voice-chat-example');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, behaviour.brings ?? 'model'), 'x');
      return { code: 0, output: '' };
    }
    if (args.includes('--print-uris')) return { code: 0, output: "'http://mirror/a.deb' a.deb 24303768 SHA256:00\n" };
    if (args.includes('--download-only')) {
      if (behaviour.install) return { code: behaviour.install, output: 'E: Unable to locate package\n' };
      await writeFile(join(args[1]!, '..', 'archives', 'a.deb'), '');
    }
    return { code: 0, output: '' };
  };
}

describe('Debian packages', () => {
  it('are downloaded and unpacked into the cache, after saying how much, and nothing else stays behind', async () => {
    const log: string[] = [];
    const said: string[] = [];
    const settings = { cacheDir, run: apt(log), say: (sentence: string) => said.push(sentence) };
    const file = await provideDebianPackages(request, settings, signal);
    expect(file.startsWith(cacheDir)).toBe(true);
    expect(existsSync(file)).toBe(true);
    expect(said).toEqual(['Downloading 24.3 MB of Debian packages (voice-chat-example).']);
    expect(await readdir(join(cacheDir, 'debian'))).toHaveLength(1);
  });

  it('come from a filled cache without asking for anything', async () => {
    await provideDebianPackages(request, { cacheDir, run: apt([]) }, signal);
    const log: string[] = [];
    const file = await provideDebianPackages(request, { cacheDir, run: apt(log), offline: true }, signal);
    expect(existsSync(file)).toBe(true);
    expect(log).toEqual([]);
  });

  it('are fetched once by two that ask at the same time', async () => {
    const settings = { cacheDir, run: apt([]) };
    const both = [provideDebianPackages(request, settings, signal), provideDebianPackages(request, settings, signal)];
    const [one, two] = await Promise.all(both);
    expect(one).toBe(two);
    expect(existsSync(one!)).toBe(true);
  });

  it.each<[string, CommandRunner]>([
    ['apt-get is missing', () => Promise.reject(new Error('ENOENT'))],
    ['apt knows no such package', apt([], { install: 100 })],
    ['the packages lack a file', apt([], { brings: 'something-else' })],
  ])('are refused with the way to install them when %s', async (_, run) => {
    const failure = await provideDebianPackages(request, { cacheDir, run }, signal).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(PackagesUnavailable);
    expect((failure as Error).message).toContain('sudo apt-get install voice-chat-example');
  });

  it('are not asked for offline, and the message says how to install them', async () => {
    const log: string[] = [];
    const wanted = provideDebianPackages(request, { cacheDir, run: apt(log), offline: true }, signal);
    await expect(wanted).rejects.toThrow('sudo apt-get update && sudo apt-get install voice-chat-example');
    expect(log).toEqual([]);
  });

  it('are refused when the cache folder is a file', async () => {
    const file = join(cacheDir, 'file');
    await writeFile(file, '');
    const wanted = provideDebianPackages(request, { cacheDir: file, run: apt([]) }, signal);
    await expect(wanted).rejects.toThrow(`The cache folder ${file} cannot be written.`);
  });

  it('stop being fetched when nobody wants them any more', async () => {
    const stop = new AbortController();
    const run: CommandRunner = (command, _, aborted) => {
      stop.abort();
      return runCommand(command, ['--version'], aborted);
    };
    await expect(provideDebianPackages(request, { cacheDir, run }, stop.signal)).rejects.toThrow(/abort/i);
    expect(await readdir(join(cacheDir, 'debian'))).toEqual([]);
  });
});

describe('a real Debian package', () => {
  it('is fetched by apt and unpacked, without touching the system', async (context) => {
    const tools = ['apt-get', 'dpkg'].every((tool) => existsSync(`/usr/bin/${tool}`));
    if (!tools) return context.skip('this system has no apt-get and dpkg');
    const hello = {
      packages: ['hello'],
      locate: async (roots: readonly string[]) =>
        roots
          .filter((root) => root !== '/')
          .map((root) => join(root, 'usr/bin/hello'))
          .find((file) => existsSync(file)),
    };
    const fetched = await provideDebianPackages(hello, { cacheDir }, signal).catch((error: unknown) => error);
    if (fetched instanceof PackagesUnavailable) return context.skip(`no Debian mirror in reach: ${fetched.message}`);
    await chmod(fetched as string, 0o755);
    const { code, output } = await runCommand(fetched as string, ['--version'], signal);
    expect(code).toBe(0);
    expect(output).toContain('hello (GNU Hello)');
  });
});
