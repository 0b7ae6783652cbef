import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import type { z } from 'zod';
import { explainIssue } from './config-errors.ts';
import { configShape } from './config-shape.ts';
import { isPath } from './models/own-model.ts';

/** Every setting, with its default where none was given. */
export type Config = z.output<typeof configShape>;

/** A mistake in the configuration: one sentence per mistake, each with path, value and fix. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Checks the text of a `config.yml`; `file` is only named in messages. Throws `ConfigError`. */
export function parseConfig(yaml: string, file = 'config.yml'): Config {
  const document = parseDocument(yaml);
  const broken = document.errors[0];
  if (broken)
    throw new ConfigError(
      `${file} is not valid YAML: ${broken.message.split('\n')[0]!.replace(/:$/, '')}; mend that line.`,
    );
  const given = (document.toJS() ?? {}) as Record<string, unknown>;
  if (typeof given !== 'object' || Array.isArray(given)) {
    throw new ConfigError(`${file} must hold settings, one per line, such as "server:" and below it "  port: 8000".`);
  }
  const filled: Record<string, unknown> = { ...given };
  for (const stage of ['vad', 'asr', 'llm', 'tts']) {
    filled[stage] = withEngine(given[stage]);
  }
  const video = given.video ?? {};
  filled.video = isRecord(video)
    ? { ...video, baseClips: withEngine(video.baseClips), lipSync: withEngine(video.lipSync) }
    : video;
  const parsed = configShape.safeParse(filled);
  if (!parsed.success) {
    const sentences = parsed.error.issues.flatMap((issue) => explainIssue(issue, filled, configShape));
    throw new ConfigError(sentences.map((sentence) => `${file}: ${sentence}`).join('\n'));
  }
  const wrong = contradictions(parsed.data);
  if (wrong.length > 0) throw new ConfigError(wrong.map((sentence) => `${file}: ${sentence}`).join('\n'));
  return parsed.data;
}

/** What an engine's settings are where the configuration leaves the choice of the engine to us. */
export function usualSettings<S extends 'asr' | 'llm' | 'tts', E extends Config[S]['engine']>(
  stage: S,
  engine: E,
): Extract<Config[S], { engine: E }> {
  return parseConfig(`${stage}: { engine: ${engine} }`)[stage] as Extract<Config[S], { engine: E }>;
}

/** Reads and checks a config file; paths in it are resolved against its folder, `~` is the home folder. */
export function readConfig(file: string): Config {
  let yaml: string;
  try {
    yaml = readFileSync(file, 'utf8');
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'does not exist' : (error as Error).message;
    throw new ConfigError(`The config file ${file} ${why}; name another with --config FILE.`);
  }
  const config = parseConfig(yaml, file);
  const at = (path: string) =>
    path === '' ? '' : path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(dirname(file), path);
  const { cert, key } = config.server.tls;
  return {
    ...config,
    server: { ...config.server, tls: { cert: at(cert), key: at(key) } },
    cache: { folder: at(config.cache.folder) },
    models: { ...config.models, folder: at(config.models.folder) },
    asr: withModelAt(config.asr, at),
    llm: withModelAt(config.llm, at),
    tts: withModelAt(config.tts, at),
    video: { ...config.video, baseClips: withFilesAt(config.video.baseClips, at) },
  };
}

/** A model of this machine (those have threads) that is named by its path lies beside the config file, like everything else. */
const withModelAt = <T extends object>(stage: T, at: (path: string) => string): T =>
  'threads' in stage && 'model' in stage && typeof stage.model === 'string' && isPath(stage.model)
    ? { ...stage, model: at(stage.model) }
    : stage;

/** The user's own video, and Wan's weights where they are files of this machine. */
function withFilesAt(clips: Config['video']['baseClips'], at: (path: string) => string): Config['video']['baseClips'] {
  if (clips.engine === 'video') return { ...clips, file: at(clips.file) };
  if (clips.engine !== 'wan22') return clips;
  const { baseModel, highNoise, lowNoise, loras } = clips;
  return {
    ...clips,
    baseModel: at(baseModel),
    highNoise: at(highNoise),
    lowNoise: at(lowNoise),
    loras: loras.map((lora) => ({ ...lora, path: at(lora.path) })),
  };
}

/** Whether only programs on this machine can reach an address to listen on. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function contradictions({ server, vad }: Config): string[] {
  const sentences: string[] = [];
  const { cert, key } = server.tls;
  if ((cert === '') !== (key === '')) {
    sentences.push(`server.tls needs both cert and key; ${cert === '' ? 'cert' : 'key'} is missing.`);
  }
  if (!isLoopback(server.host) && (server.token === '' || cert === '')) {
    sentences.push(
      `server.host is ${JSON.stringify(server.host)}, which other machines can reach; set server.token (16 letters or more) and server.tls.cert and server.tls.key, or use 127.0.0.1.`,
    );
  }
  if (server.token !== '' && server.token.length < 16) {
    sentences.push('server.token is too short to be safe; use 16 letters or more.');
  }
  if (vad.pauseThreshold > vad.speechThreshold) {
    sentences.push(
      `vad.pauseThreshold is ${vad.pauseThreshold}, but must not be above vad.speechThreshold (${vad.speechThreshold}).`,
    );
  }
  return sentences;
}

const withEngine = (settings: unknown = {}): unknown =>
  isRecord(settings ?? {}) ? { engine: 'auto', ...(settings as object) } : settings;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
