import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const SRC = fileURLToPath(new URL('../../src', import.meta.url));

/** A file below src/ and what it imports: files by their path below src/, and packages by their name. */
type Source = { path: string; text: string; files: string[]; packages: string[] };

const sources = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && !path.endsWith('.d.ts'))
  .map(readSource);

function readSource(path: string): Source {
  const text = readFileSync(join(SRC, path), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  const names = [...text.matchAll(/(?:\bfrom|^import|\bimport\()\s*'([^']+)'/gm)].map((match) => match[1]!);
  const isFile = (name: string) => name.startsWith('.');
  return {
    path,
    text,
    files: names.filter(isFile).map((name) => posix.join(posix.dirname(path), name)),
    packages: names.filter((name) => !isFile(name)),
  };
}

/** Which files the files of a part may import, besides its own: beginnings of paths below src/. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'protocol/': [],
  'client/': ['protocol/'],
  'server/async/': [],
  'server/other-servers/': [],
  'server/onnx/': ['server/weights/'],
  'server/weights/': [],
  'server/workers/': ['server/async/', 'server/engines/contracts.ts'],
  'server/models/': [],
  'server/machine/': ['server/models/'],
  'server/engines/': ['protocol/', 'server/async/', 'server/models/', 'server/other-servers/'],
  'server/video/': [
    'protocol/',
    'server/async/',
    'server/models/',
    'server/onnx/',
    'server/weights/',
    'server/workers/',
    'server/engines/contracts.ts',
    'server/other-servers/',
  ],
  'server/tools/': ['server/async/', 'server/engines/contracts.ts', 'server/conversation/tool-box.ts'],
  'server/conversation/': ['protocol/', 'server/async/', 'server/engines/contracts.ts'],
};

const partOf = (path: string) => Object.keys(MAY_IMPORT).find((part) => path.startsWith(part));

/** "file imports file", for those that no rule allows. */
const forbidden = (part: string, allowed: readonly string[]): string[] =>
  sources
    .filter(({ path }) => path.startsWith(part))
    .flatMap(({ path, files }) =>
      files
        .filter((file) => !file.startsWith(part) && !allowed.some((start) => file.startsWith(start)))
        .map((file) => `${path} imports ${file}`),
    );

describe('imports point one way', () => {
  it('sees the imports that are there', () => {
    const main = sources.find(({ path }) => path === 'server/main.ts');
    expect(main?.files).toContain('server/conversation/session.ts');
    expect(main?.packages).toContain('node:events');
    const dynamic = sources.find(({ path }) => path === 'server/cli.ts');
    expect(dynamic?.files).toContain('server/main.ts');
  });

  it.each(Object.entries(MAY_IMPORT))('%s imports itself and %j only', (part, allowed) => {
    expect(sources.some(({ path }) => path.startsWith(part))).toBe(true);
    expect(forbidden(part, allowed)).toEqual([]);
  });

  it('every file belongs to a part, to the wiring in src/server, or to the benchmark', () => {
    const isWiring = (path: string) => /^server\/[^/]+\.ts$/.test(path);
    const homeless = sources.filter(({ path }) => !partOf(path) && !isWiring(path) && !path.startsWith('bench/'));
    expect(homeless.map(({ path }) => path)).toEqual([]);
  });

  it('only the command line knows the benchmark', () => {
    const users = sources.filter(
      ({ path, files }) => !path.startsWith('bench/') && files.some((file) => file.startsWith('bench/')),
    );
    expect(users.map(({ path }) => path)).toEqual(['server/cli.ts']);
  });

  it('an engine knows no other engine, except the recogniser what the built-in brain understands', () => {
    // A folder beside which no file such as flite-tts.ts lies is no engine's own: what is in it, several share.
    const engines = sources.map(({ path }) => /^server\/engines\/([a-z0-9]+)(?:-[a-z]+)?\.ts$/.exec(path)?.[1]);
    const engineOf = (path: string) => /^server\/engines\/([a-z0-9]+)/.exec(path)?.[1];
    const pairs = sources.flatMap(({ path, files }) =>
      files
        .filter((file) => file !== 'server/engines/contracts.ts')
        .map((file) => [engineOf(path), engineOf(file)] as const)
        .filter(([from, to]) => from && to && from !== to && engines.includes(to))
        .map(([from, to]) => `${from} → ${to}`),
    );
    expect([...new Set(pairs)]).toEqual(['pocketsphinx → builtin']);
  });

  it('makes no cycle', () => {
    const imports = new Map(sources.map(({ path, files }) => [path, files]));
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (path: string, above: readonly string[]): void => {
      if (above.includes(path)) {
        cycles.push([...above.slice(above.indexOf(path)), path].join(' → '));
        return;
      }
      if (done.has(path)) return;
      for (const file of imports.get(path) ?? []) visit(file, [...above, path]);
      done.add(path);
    };
    for (const { path } of sources) visit(path, []);
    expect(cycles).toEqual([]);
  });
});

describe('what the parts do without', () => {
  const inPart = (part: string) => sources.filter(({ path }) => path.startsWith(part));

  it('protocol, client and async need no package', () => {
    const users = ['protocol/', 'client/', 'server/async/']
      .flatMap(inPart)
      .filter(({ packages }) => packages.length > 0);
    expect(users.map(({ path, packages }) => `${path}: ${packages.join(', ')}`)).toEqual([]);
  });

  it('the conversation owns no socket, file or process: of Node it uses events only', () => {
    const used = inPart('server/conversation/').flatMap(({ packages }) => packages);
    expect(used.filter((name) => name !== 'node:events')).toEqual([]);
  });

  it('the conversation takes its time from the samples, never from a clock', () => {
    const clocks =
      /\bDate\.now\b|\bnew Date\b|\bperformance\b|\bset(?:Timeout|Interval|Immediate)\b|AbortSignal\.timeout/;
    expect(
      inPart('server/conversation/')
        .filter(({ text }) => clocks.test(text))
        .map(({ path }) => path),
    ).toEqual([]);
  });

  it('nothing on the server takes its behaviour from environment variables', () => {
    // Commands that are run inherit the environment; that is all.
    const readers = inPart('server/').filter(({ text }) => /process\.env(?!,)/.test(text));
    expect(readers.map(({ path }) => path)).toEqual([]);
  });
});
