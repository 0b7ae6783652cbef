import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { AudioFrame } from '../../src/protocol/frames.ts';
import type { ServerMessage } from '../../src/protocol/messages.ts';
import { startTestServer, type TestServer } from '../fixtures/test-server.ts';
import { HAS_FFMPEG, sentence, startVideoServer, type VideoServer, videoProcesses } from '../fixtures/video-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

/** More than is sent ahead, so that what comes before the interruption is what the lead allows, to the sample. */
const LONG = sentence(40);
const LEAD_MS = 1_000;
const HEARD = 4_800;
const LLM = { llm: { engine: 'scripted', replies: ['Yes, it is.', LONG, 'And that is all.', 'Good bye for now.'] } };
const SPEECH = { speech: { leadMs: LEAD_MS } };

type Hooks = {
  /** While the reply plays that will be interrupted, before it is. */
  readonly inLongReply?: (client: WireClient) => Promise<void>;
};

/** The same conversation each time: two typed turns, the second interrupted, one that is spoken, one more. */
async function converse(server: TestServer, { inLongReply }: Hooks = {}): Promise<WireClient> {
  const client = await WireClient.open(server.url, undefined, {}, 'pieces');
  const rate = client.welcome.speechRate;
  const listens = (turn: number) =>
    client.first('state', (message) => message.state === 'listening' && message.turn === turn);
  await client.chat('first');
  await listens(1);
  client.type('second');
  await client.speech(2, (LEAD_MS * rate) / 1000);
  await inLongReply?.(client);
  client.say({ type: 'played', turn: 2, samples: HEARD });
  await client.speech(2, (LEAD_MS * rate) / 1000 + HEARD);
  client.say({ type: 'interrupt' });
  await client.first('flush');
  client.say({ type: 'played', turn: 2, samples: HEARD, final: true });
  await client.first('cut');
  client.speak();
  const { turn } = await client.first('user_said', ({ typed }) => !typed);
  await client.hearAll(turn);
  await listens(turn);
  await client.chat('fourth');
  await listens(4);
  return client;
}

const OF_VIDEO = ['avatar', 'clip_progress', 'speaking_clip', 'clip_done'];
const isVideo = (one: ServerMessage) =>
  OF_VIDEO.includes(one.type) || (one.type === 'error' && one.code === 'video_failed');

/** What the audio tier said, in order: messages without their times and the session's names, and speech to the sample. */
function audioTier(client: WireClient): unknown[] {
  return client.arrived.flatMap((one): unknown[] => {
    if ('kind' in one) return [speech(one)];
    if (isVideo(one)) return [];
    switch (one.type) {
      case 'welcome': {
        const { session: _, token: __, avatar: ___, ...rest } = one;
        return [rest];
      }
      case 'metrics':
        return [{ ...one, metrics: Object.keys(one.metrics) }];
      default:
        return [one];
    }
  });
}

const speech = ({ kind, sequence, turn, position, samples }: AudioFrame) => ({
  kind,
  sequence,
  turn,
  position,
  samples: Buffer.from(Float32Array.from(samples).buffer).toString('base64'),
});

async function withoutVideo(): Promise<unknown[]> {
  await using server = await startTestServer({ ...LLM, ...SPEECH });
  const client = await converse(server);
  client.drop();
  return audioTier(client);
}

/** Puts another `ffmpeg`, a shell script, in front of the real one. */
function asFfmpeg(script: (path: string) => string): { [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'voice-chat-'));
  const before = process.env.PATH ?? '';
  const file = join(folder, 'ffmpeg');
  writeFileSync(file, `#!/bin/sh\n${script(before)}\n`);
  chmodSync(file, 0o755);
  process.env.PATH = `${folder}:${before}`;
  return {
    [Symbol.dispose]() {
      process.env.PATH = before;
      rmSync(folder, { recursive: true });
    },
  };
}

const here = HAS_FFMPEG && existsSync('/proc/self/stat');

describe.skipIf(!here)('speech and messages (skipped where there is no ffmpeg or no /proc)', () => {
  it('are the same in two conversations without video', async () => {
    expect(await withoutVideo()).toEqual(await withoutVideo());
  });

  /** The same conversation with video, which `act` may disturb. */
  async function withVideo(act: Hooks & { before?: (server: VideoServer) => Promise<void> } = {}) {
    await using server = await startVideoServer({ ...LLM, ...SPEECH });
    if (act.before) await act.before(server);
    else await server.isUp();
    const client = await converse(server, act);
    const told = audioTier(client);
    client.drop();
    return { client, told, metric: await server.metric('voicechat_engine_restarts{stage="video"}') };
  }

  it('are the same with video', async () => {
    let bytes = 0;
    const { told } = await withVideo({
      inLongReply: async (client) => {
        // So that it is certain that there was a clip beside this speech.
        while (client.clipBytes(1) === 0 && client.clipBytes(2) === 0) await client.more();
        bytes = client.clipBytes(1) + client.clipBytes(2);
      },
    });
    expect(bytes).toBeGreaterThan(0);
    expect(told).toEqual(await withoutVideo());
  });

  it('are the same while the video tier is still starting', async () => {
    const { told } = await withVideo({ before: async () => {} });
    expect(told).toEqual(await withoutVideo());
  });

  it('are the same when the video tier crashes in the middle of a clip', async () => {
    const { told, client } = await withVideo({
      inLongReply: async (client) => {
        await client.first('clip_progress', ({ turn, stage }) => turn === 2 && stage === 'speaking');
        for (const pid of await videoProcesses()) process.kill(pid, 'SIGKILL');
        await client.first('error');
      },
    });
    expect(client.of('error')).toMatchObject([{ code: 'video_failed', stage: 'video', turn: 2 }]);
    expect(told).toEqual(await withoutVideo());
  });

  it('are the same when the video tier hangs', async () => {
    const { told } = await withVideo({
      inLongReply: async () => {
        const stopped = await videoProcesses();
        expect(stopped).toHaveLength(2);
        for (const pid of stopped) process.kill(pid, 'SIGSTOP');
      },
    });
    expect(told).toEqual(await withoutVideo());
  });

  it('are the same with an encoder that is slow', async () => {
    using _ = asFfmpeg((path) => `sleep 1\nPATH='${path}' exec ffmpeg "$@"`);
    const { told } = await withVideo();
    expect(told).toEqual(await withoutVideo());
  });

  it('are the same with an encoder that does not work, and the log says so, once', async () => {
    using _ = asFfmpeg(() => 'case "$*" in *-version*) echo ffmpeg version 1 ;; *) exit 1 ;; esac');
    await using server = await startVideoServer({ ...LLM, ...SPEECH, video: { enabled: true, encoder: 'ffmpeg' } });
    while ((await server.state()) === 'starting') await sleep(50);
    expect(await server.state()).toBe('failed');
    const client = await converse(server);
    expect(audioTier(client)).toEqual(await withoutVideo());
    // The picture can be shown all the same.
    expect(client.welcome.avatar?.picture).toMatch(/^\/avatars\//);
    expect(client.of('error')).toEqual([]);
    expect(server.log.filter((line) => /WARN +video /.test(line))).toEqual([expect.stringMatching(/ffmpeg/)]);
    client.drop();
  });
});
