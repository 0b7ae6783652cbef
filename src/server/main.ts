import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { AvatarView } from '../protocol/messages.ts';
import { type Config, isLoopback } from './config.ts';
import { Connection } from './connection.ts';
import type { ConnectionWorld } from './connection-world.ts';
import { ConversationSession } from './conversation/session.ts';
import type { ConversationSettings } from './conversation/session-world.ts';
import type { Situation, SpeakingVoice } from './engines/contracts.ts';
import { type Answer, createHttpServer } from './http-server.ts';
import { instructions } from './instructions.ts';
import type { Logger } from './log.ts';
import { Metrics } from './metrics.ts';
import { openEngines } from './open-engines.ts';
import { OpenVideo } from './open-video.ts';
import { readPageFiles } from './page-files.ts';
import type { PlanWorld } from './plan-here.ts';
import { listenProblem, portProblem } from './port-problem.ts';
import { ReadinessCheck } from './readiness.ts';
import { Sessions } from './sessions.ts';
import { StartError } from './start-error.ts';
import { readTlsFiles } from './tls-files.ts';
import { createToolBox } from './tools/tool-box.ts';
import { noFace } from './video-link.ts';

export type RunningServer = {
  /** Where the page is. */
  readonly url: string;
  /** Lets replies finish (10 s at most), then closes sockets and ends the engines. */
  stop(graceMs?: number): Promise<void>;
};

/** More than a round trip to a far client and what its speaker needs to stop. */
const PATIENCE_MS = 300;
const CLIENT_FOLDER = fileURLToPath(new URL('../client', import.meta.url));
const GRACE_MS = 10_000;
/** How long a page may take to answer that its socket is closed. */
const CLOSE_MS = 500;

/**
 * Opens the engines and the server that the configuration describes; `planWorld` is another machine to plan for, in a test.
 * `signal` ends the start, what was downloaded is kept; once the server runs, only `stop` ends it.
 */
export async function startServer(
  config: Config,
  log: Logger,
  planWorld: PlanWorld | undefined,
  signal: AbortSignal,
): Promise<RunningServer> {
  const { host, port, token, allowedHosts, allowedOrigins } = config.server;
  const secure = config.server.tls.cert !== '';
  const tls = secure ? readTlsFiles(config.server.tls) : undefined;
  // Before gigabytes are fetched, not after.
  const problem = await portProblem(host, port);
  if (problem !== undefined) throw new StartError(problem);
  const stopping = new AbortController();
  const onNews: Parameters<typeof openEngines>[2] = (_stage, up, sentence) => {
    log[up ? 'info' : 'warn'](sentence);
    sessions?.tellAll({ type: 'notice', text: sentence });
  };
  let sessions: Sessions | undefined;
  const opened = await openEngines(config, log, onNews, signal, planWorld);
  const { engines, stages, names, voiceInputOff } = opened;

  let video: OpenVideo | undefined;
  const metrics = new Metrics({
    sessions: () => sessions?.size ?? 0,
    backlog: () => sessions?.backlog() ?? { waiting: 0, dropped: 0 },
    engines: () => [
      ...Object.entries(stages).map(([stage, it]) => ({ stage, up: it.up(), restarts: it.restarts() })),
      ...(video?.processes ?? []),
    ],
  });
  const settings = conversationSettings(config, voiceFor(config.tts, engines.tts.voices, log));
  const tools = createToolBox(config.llm.tools);
  const create = (id: string): ConversationSession => {
    let last: number | undefined;
    const situation = (): Situation => ({
      engines: names,
      ...(last === undefined ? {} : { lastVoiceToVoiceMs: last }),
    });
    return new ConversationSession(
      {
        engines,
        situation,
        tools,
        clock: () => performance.now(),
        patience: () => sleep(PATIENCE_MS),
        onTurnOver: (turn, outcome) => {
          const timings = turn.metrics();
          last = timings.voiceToVoiceMs ?? last;
          metrics.turnOver(turn, outcome);
          log.info('turn', { session: id, turn: turn.id, outcome, typed: turn.typed, ...timings });
        },
      },
      settings,
      stopping.signal,
    );
  };
  sessions = new Sessions(create, config.limits, (outcome) => metrics.sessions.inc({ outcome }));

  if (config.video.enabled) {
    const onAvatar = (avatar: AvatarView) => sessions?.tellAll({ type: 'avatar', avatar });
    const onProblem = (message: string) => sessions?.tellAll(noFace(message));
    video = new OpenVideo(config, { rate: engines.tts.rate, log, metrics: metrics.ofClips, onAvatar, onProblem });
  }
  const world: ConnectionWorld = {
    sessions,
    metrics,
    log,
    limits: config.limits,
    speechRate: engines.tts.rate,
    voices: engines.tts.voices,
    engines: names,
    voiceInputOff,
    video,
  };
  const readiness = new ReadinessCheck(stages);
  const json = (status: number, body: unknown): Answer => ({
    status,
    type: 'application/json',
    body: `${JSON.stringify(body)}\n`,
  });
  const draining = sessions;
  const ready = async () => {
    const { ready, stages: state } = await readiness.check();
    const serves = ready && !draining.draining;
    return json(serves ? 200 : 503, { ready: serves, draining: draining.draining, stages: state });
  };
  const open = new Set(isLoopback(host) ? ['/livez', '/readyz'] : []);
  const { server, closeSockets } = createHttpServer({
    access: { allowedHosts, allowedOrigins, token, secure },
    tls,
    files: readPageFiles(CLIENT_FOLDER),
    pages: new Map<string, () => Promise<Answer>>([
      ['/livez', async () => ({ status: 200, type: 'text/plain', body: 'alive\n' })],
      ['/readyz', ready],
      [
        '/healthz',
        async () => json(200, { engines: names, voiceInputOff, sessions: draining.size, video: video?.state }),
      ],
      ['/metrics', async () => ({ status: 200, type: 'text/plain; version=0.0.4', body: await metrics.text() })],
    ]),
    open,
    routes: video ? [video.route] : [],
    sockets: new Map([['/ws/chat', (socket) => void new Connection(socket, world)], ...(video?.sockets ?? [])]),
    onRefused: (reason) => metrics.rejected.inc({ reason }),
  });

  const closeAll = async () => {
    stopping.abort();
    server.close();
    server.closeAllConnections();
    metrics.close();
    await video?.[Symbol.asyncDispose]();
    await opened[Symbol.asyncDispose]();
  };
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    await closeAll();
    throw new StartError(listenProblem(error as NodeJS.ErrnoException, host, port), { cause: error });
  }
  // Not before: whoever talks first must not wait for it.
  video?.start();
  const address = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${secure ? 'https' : 'http'}://${shown}:${address.port}`,
    async stop(graceMs = GRACE_MS) {
      server.close();
      await draining.drain(graceMs);
      await closeSockets(CLOSE_MS);
      await closeAll();
    },
  };
}

/** Whoever names a voice and leaves the engine to us may get one that does not have it, which must not end every reply. */
function voiceFor({ engine, voice, speed }: Config['tts'], voices: readonly string[], log: Logger): SpeakingVoice {
  if (engine !== 'auto' || voice === '' || voices.includes(voice)) return { name: voice, speed };
  log.warn(`tts  There is no voice "${voice}"; ${voices[0]} speaks. Set tts.voice to one of ${voices.join(', ')}.`);
  return { name: '', speed };
}

function conversationSettings(config: Config, voice: SpeakingVoice): ConversationSettings {
  const { vad, turn, llm, speech } = config;
  return {
    listen: vad,
    endpoint: turn,
    answer: {
      phrases: { firstPhraseWords: speech.firstPhraseWords, phraseLetters: speech.phraseLetters },
      voice,
    },
    systemPrompt: instructions(config),
    historyMessages: llm.historyMessages,
    leadMs: speech.leadMs,
    notUnderstood: turn.notUnderstood,
  };
}
