import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CLOSE } from '../../src/protocol/messages.ts';
import { parseConfig } from '../../src/server/config.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const allBelow = (folder: string) =>
  readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((path) => join(folder, path));

const documents = ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...allBelow('docs')].filter((p) =>
  p.endsWith('.md'),
);
const withoutCode = (text: string) => text.replace(/^```[\s\S]*?^```/gm, '');

describe.each(documents)('%s', (document) => {
  const text = read(document);

  it('has links that lead somewhere', () => {
    const targets = [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
    const lost = targets.filter((target) => {
      if (/^https?:/.test(target)) return false;
      const [path, anchor] = target.split('#');
      const file = path ? join(dirname(document), path) : document;
      return !existsSync(join(ROOT, file)) || (anchor && !anchorsOf(read(file)).includes(anchor));
    });
    expect(lost).toEqual([]);
  });

  it('names files that exist', () => {
    const files = [...allBelow('src'), ...allBelow('test'), ...allBelow('scripts')].map((file) => `/${file}`);
    const named = [...withoutCode(text).matchAll(/`([\w./-]+\.(?:ts|mjs))`/g)].map((match) => match[1]!);
    // What the reader is told to write does not exist yet.
    const imagined = ['client.mjs', 'src/server/engines/hum-tts.ts'];
    const known = (name: string) => imagined.includes(name) || files.some((file) => file.endsWith(`/${name}`));
    expect(named.filter((name) => !known(name))).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const scripts = Object.keys(JSON.parse(read('package.json')).scripts);
    const named = [...text.matchAll(/npm run (?:-s )?([\w:-]+)/g)].map((match) => match[1]!);
    expect(named.filter((name) => !scripts.includes(name))).toEqual([]);
  });
});

function anchorsOf(markdown: string): string[] {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.+)$/gm)].map((match) => match[1]!);
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  );
}

describe('docs/protocol.md', () => {
  const text = read('docs/protocol.md');
  const messages = read('src/protocol/messages.ts');
  /** The source of one type in messages.ts. */
  const typeText = (name: string) => new RegExp(`export type ${name} =[\\s\\S]*?;\\n\\n`).exec(messages)![0];

  it.each(['ClientMessage', 'ServerMessage'])('has a row for every %s', (name) => {
    const types = [...typeText(name).matchAll(/\btype: '(\w+)'/g)].map((match) => match[1]!);
    expect(types.length).toBeGreaterThan(5);
    expect(types.filter((type) => !text.includes(`\n| \`${type}\` |`))).toEqual([]);
  });

  it('has every code of an error', () => {
    const codes = [...typeText('ErrorCode').matchAll(/'(\w+)'/g)].map((match) => match[1]!);
    expect(codes.length).toBeGreaterThan(5);
    expect(codes.filter((code) => !text.includes(`\n| \`${code}\` |`))).toEqual([]);
  });

  it('has every part of the latency', () => {
    const parts = [...typeText('TurnMetrics').matchAll(/^ {2}(\w+)\?:/gm)].map((match) => match[1]!);
    expect(parts.length).toBeGreaterThan(5);
    expect(parts.filter((part) => !text.includes(`\`${part}\``))).toEqual([]);
  });

  it('has every close code', () => {
    expect(Object.values(CLOSE).filter((code) => !text.includes(`\n| ${code} |`))).toEqual([]);
  });
});

describe('the configuration', () => {
  const file = read('config.yml');

  /** The keys of a configuration whose stages all have the engine that `engines` names. */
  const keys = (engines: Record<string, object>): string[] => {
    const config = parseConfig(JSON.stringify(engines)) as unknown as Record<string, Record<string, object>>;
    return Object.entries(config).flatMap(([section, settings]) => [
      section,
      ...(typeof settings === 'object' ? Object.keys(settings) : []),
    ]);
  };

  it('has every key in config.yml', () => {
    const missing = keys({}).filter((key) => !new RegExp(`^ *(?:# )?${key}:`, 'm').test(file));
    expect([...new Set(missing)]).toEqual([]);
  });

  it.each([
    ['vad', ['silero']],
    ['asr', ['pocketsphinx', 'sherpa', 'whisper', 'openai']],
    ['llm', ['builtin', 'llama', 'openai']],
    ['tts', ['flite', 'sherpa', 'kokoro', 'openai']],
  ] as const)('shows for every engine of %s what it takes, with its defaults', (stage, engines) => {
    const section = new RegExp(`^${stage}:\\n((?:(?: .*)?\\n)+)`, 'm').exec(file)![1]!;
    for (const engine of engines) {
      expect(section).toMatch(new RegExp(`\\b${engine}\\b`));
      const given = engine === 'openai' ? { engine, baseUrl: 'http://127.0.0.1:11434/v1' } : { engine };
      const { engine: _, ...settings } = parseConfig(JSON.stringify({ [stage]: given }))[stage];
      for (const [key, value] of Object.entries(settings)) {
        const lines = [...section.matchAll(new RegExp(`^ +(?:# )?${key}: *(.*)$`, 'gm'))].map((match) => match[1]!);
        const shown = lines.map((line) => (line === '>-' ? value : parse(line)));
        if (key !== 'baseUrl') expect(shown, `${stage}.${key}`).toContainEqual(value);
      }
    }
  });

  it.each([
    ['baseClips', ['still', 'video', 'wan22', 'openai-videos']],
    ['lipSync', ['visemes', 'musetalk', 'remote']],
  ] as const)('shows for every engine of video.%s what it takes, with its defaults', (part, engines) => {
    const section = new RegExp(`^  ${part}:\\n((?:(?: {4}.*)?\\n)+)`, 'm').exec(file)![1]!;
    for (const engine of engines) {
      expect(section).toMatch(new RegExp(`\\b${engine}\\b`));
      const given = { engine, ...(/^(openai-videos|remote)$/.test(engine) && { baseUrl: 'http://127.0.0.1:8091/v1' }) };
      const { engine: _, ...settings } = parseConfig(JSON.stringify({ video: { [part]: given } })).video[part];
      for (const [key, value] of Object.entries(settings)) {
        const lines = [...section.matchAll(new RegExp(`^ +(?:# )?${key}: *(.*)$`, 'gm'))].map((match) => match[1]!);
        if (key !== 'baseUrl')
          expect(
            lines.map((line) => parse(line)),
            `video.${part}.${key}`,
          ).toContainEqual(value);
        else expect(lines).not.toEqual([]);
      }
    }
  });

  it('has every key of the scripted engines in docs/engines.md', () => {
    const engine = { engine: 'scripted' };
    const all = keys({ vad: engine, asr: engine, llm: engine, tts: engine });
    const known = new Set(keys({}));
    const missing = all.filter((key) => !known.has(key) && !read('docs/engines.md').includes(`\`${key}\``));
    expect([...new Set(missing)]).toEqual([]);
  });

  it('accepts the examples in the documents', () => {
    const examples = documents.flatMap((document) => [...read(document).matchAll(/^```yaml\n([\s\S]*?)^```/gm)]);
    expect(examples.length).toBeGreaterThan(1);
    for (const [, example] of examples) expect(() => parseConfig(example!)).not.toThrow();
  });
});

describe('what is in git', () => {
  const listed = tracked();

  it.skipIf(!listed)('names no folder of one machine and no package registry (needs git)', () => {
    // In pieces, so that this file does not name them.
    const folders = ['work', 'root'].map((name) => `(?<![\\w.~-])/${name}/`);
    const hosts = ['registry\\.npm', 'registry\\.yarn', 'npm\\.pkg', 'pypi\\.', 'files\\.python'];
    const forbidden = new RegExp([...folders, ...hosts].join('|'), 'i');
    const found = listed!
      .filter((file) => existsSync(join(ROOT, file)) && !/\.(png|wasm|onnx)$/.test(file))
      .flatMap((file) =>
        read(file)
          .split('\n')
          .flatMap((line, i) => (forbidden.test(line) ? [`${file}:${i + 1}`] : [])),
      );
    expect(found).toEqual([]);
  });
});

/** The files that git knows; undefined in a copy without it. */
function tracked(): string[] | undefined {
  try {
    const list = execFileSync('git', ['ls-files'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return list.split('\n').filter(Boolean);
  } catch {
    return undefined;
  }
}
