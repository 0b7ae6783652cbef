#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Config, ConfigError, readConfig } from './config.ts';
import { EngineError } from './engines/contracts.ts';
import { createLogger } from './log.ts';
import type { RunningServer } from './main.ts';
import { ModelStoreError } from './models/model-store-error.ts';
import { nearest } from './nearest.ts';
import { StartError } from './start-error.ts';
import { VideoError } from './video/contracts.ts';
import { WeightsError } from './weights/weights.ts';
import { SILENT } from './workers/silent.ts';

const USAGE = `voice-chat - talk with your own machine

  voice-chat start            start the server (the default)
  voice-chat doctor [--json]  check this machine and say what to mend
  voice-chat models [--json]  every model: size, licence, languages, and where it lies
  voice-chat models pull|verify|remove ID...
                              fetch models, check their files, delete them
  voice-chat avatar [--json]  every face: those that come with voice-chat, and yours
  voice-chat avatar add FILE [--name NAME] [--crop X,Y,SIZE]
                              make a face of a photo (PNG, JPEG, WebP), or of a square of it
  voice-chat avatar use|remove ID
                              choose a face, delete one of yours
  voice-chat bench [--only ID] [--json] [--list]
                              measure; --list names the rows

  --config FILE   settings (default: ./config.yml, else the one that comes with voice-chat)
  --port N        overrides server.port
  --version, --help
`;

/** Exit codes: 0 fine, 1 it did not work, 2 the command or the configuration is wrong. */
async function run(): Promise<number> {
  Object.assign(process.env, SILENT);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      port: { type: 'string' },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
      list: { type: 'boolean', default: false },
      name: { type: 'string' },
      crop: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
      version: { type: 'boolean', default: false },
    },
  });
  if (values.help) return print(USAGE);
  if (values.version) {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    return print(`${version}\n`);
  }
  const config = (): Config => {
    const read = readConfig(values.config ?? defaultConfigFile());
    if (values.port === undefined) return read;
    const port = Number(values.port);
    if (!/^\d+$/.test(values.port) || port > 65_535)
      throw new ConfigError(`--port ${values.port} is not a port number.`);
    return { ...read, server: { ...read.server, port } };
  };
  const [command = 'start', ...rest] = positionals;
  if (rest.length > 0 && command !== 'models' && command !== 'avatar')
    throw new ConfigError(`What is "${rest.join(' ')}"? See voice-chat --help.`);
  switch (command) {
    case 'start':
      return start(config());
    case 'doctor':
      return (await import('./doctor.ts')).doctor(config(), values.json);
    case 'models':
      return models(rest, config(), values.json);
    case 'avatar': {
      const { avatarCommand } = await import('./avatar-command.ts');
      const { json, name, crop } = values;
      return avatarCommand(rest, { config: config(), json, name, crop }, askedToStop().signal);
    }
    case 'bench':
      return (await import('../bench/bench.ts')).bench({ only: values.only, json: values.json, list: values.list });
    default:
      throw new ConfigError(unknownCommand(command));
  }
}

function unknownCommand(command: string): string {
  const meant = nearest(command, ['start', 'doctor', 'models', 'avatar', 'bench']);
  return `There is no command "${command}"; ${meant ? `did you mean ${meant}? S` : 's'}ee voice-chat --help.`;
}

async function start(config: Config): Promise<number> {
  const log = createLogger(config.log.level);
  const { signal: stop, asked } = askedToStop();
  const { startServer } = await import('./main.ts');
  let server: RunningServer;
  try {
    server = await startServer(config, log, undefined, stop);
  } catch (error) {
    if (!stop.aborted) throw error;
    log.info(
      `${stop.reason}: ended before it was ready. What was downloaded is kept, and the next start goes on from there.`,
    );
    return 1;
  }
  print(`\n  voice-chat is ready: open ${server.url} and talk\n\n`);
  const why = await asked;
  log.info(`${why}: finishing what is being said, then ending (again to end at once)`);
  await server.stop().catch(() => {});
  log.info('ended');
  return 0;
}

/** Aborts at the first SIGINT or SIGTERM, with its name; a second one ends the process at once. */
function askedToStop(): { signal: AbortSignal; asked: Promise<string> } {
  const stop = new AbortController();
  const asked = new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.on(name, () => {
        if (stop.signal.aborted) process.exit(1);
        stop.abort(name);
        resolve(name);
      });
    }
  });
  return { signal: stop.signal, asked };
}

async function models(args: readonly string[], config: Config, json: boolean): Promise<number> {
  const { modelsCommand } = await import('./models-command.ts');
  const { signal: stop } = askedToStop();
  const planned = async (signal: AbortSignal) => {
    const [{ modelsOf, planHere }, { ModelStore }] = await Promise.all([
      import('./plan-here.ts'),
      import('./models/store.ts'),
    ]);
    const here = await planHere(config, new ModelStore(config.models), signal);
    return modelsOf(here, await here.plan(!config.models.offline));
  };
  return modelsCommand(args, { config, json, planned }, stop);
}

function defaultConfigFile(): string {
  return existsSync('config.yml') ? 'config.yml' : fileURLToPath(new URL('../../config.yml', import.meta.url));
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}

/** What the user can mend is one sentence; anything else is ours and comes with its stack. */
function explain(error: unknown): number {
  const isUsage = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const said = [ConfigError, EngineError, ModelStoreError, StartError, VideoError, WeightsError];
  const isSaid = said.some((kind) => error instanceof kind);
  const text = error instanceof Error ? (isUsage || isSaid ? error.message : error.stack) : String(error);
  process.stderr.write(`${text}${isUsage ? '\nSee voice-chat --help.' : ''}\n`);
  return isUsage || error instanceof ConfigError ? 2 : 1;
}

// Whoever reads may stop before the end, as `head` does.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await run().catch(explain);
// Engines are ended by then; a handle that a library forgot must not keep the process.
if (process.exitCode !== 0) process.exit();
