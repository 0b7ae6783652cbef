import { describe, expect, it } from 'vitest';
import { startTestServer } from '../fixtures/test-server.ts';
import { WireClient } from '../fixtures/wire-client.ts';

const NAMES = {
  counter: 'sessions rejected ws_closed engine_errors mic_frames mic_frames_lost turns'
    .split(' ')
    .map((name) => `${name}_total`),
  gauge:
    'sessions_active mic_frames_waiting mic_frames_dropped engine_up engine_restarts eventloop_lag_p99_seconds'.split(
      ' ',
    ),
  histogram: ['turn_latency_seconds', 'stage_seconds'],
};

describe('/livez, /readyz and /healthz', () => {
  it('say that it lives, that every engine answers, and what runs', async () => {
    await using server = await startTestServer();
    const livez = await fetch(`${server.url}/livez`);
    expect([livez.status, await livez.text()]).toEqual([200, 'alive\n']);
    const readyz = await fetch(`${server.url}/readyz`);
    expect(readyz.status).toBe(200);
    expect(await readyz.json()).toEqual({
      ready: true,
      draining: false,
      stages: { vad: 'ok', asr: 'ok', llm: 'ok', tts: 'ok' },
    });
    const client = await WireClient.open(server.url);
    const healthz = await fetch(`${server.url}/healthz`);
    expect(await healthz.json()).toEqual({ engines: client.welcome.engines, sessions: 1 });
    client.drop();
  });

  it('say not ready, and which engine fails, when one runs but does not work', async () => {
    // The first call of an engine in the server's own process is the one that /readyz makes.
    await using server = await startTestServer({ tts: { engine: 'scripted', failOnCall: 1 } });
    const readyz = await fetch(`${server.url}/readyz`);
    expect(readyz.status).toBe(503);
    expect(await readyz.json()).toMatchObject({
      ready: false,
      stages: { llm: 'ok', tts: expect.stringMatching(/told to fail/) },
    });
    expect((await fetch(`${server.url}/livez`)).status).toBe(200);
  });
});

describe('/metrics', () => {
  it('names and explains everything that is counted', async () => {
    await using server = await startTestServer();
    const response = await fetch(`${server.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    const types = [...text.matchAll(/^# TYPE voicechat_(\S+) (\S+)$/gm)].map(([, name, type]) => `${type} ${name}`);
    const expected = Object.entries(NAMES).flatMap(([type, names]) => names.map((name) => `${type} ${name}`));
    expect(types.sort()).toEqual(expected.sort());
    expect(text.match(/^# HELP voicechat_\S+ \S+/gm)).toHaveLength(expected.length);
    for (const stage of ['vad', 'asr', 'llm', 'tts']) {
      expect(await server.metric(`voicechat_engine_up{stage="${stage}"}`)).toBe(1);
      expect(text).toContain(`voicechat_engine_restarts{stage="${stage}"} 0\n`);
    }
  });

  it('counts turns, frames, gaps, sessions and sockets', async () => {
    await using server = await startTestServer({ asr: { engine: 'scripted', texts: ['hello', ''] } });
    const client = await WireClient.open(server.url);
    client.speak();
    await client.hearAll((await client.first('user_said')).turn);
    client.speak();
    await client.first('ignored');
    const typed = await client.chat('typed');
    await client.first('state', ({ state, turn }) => state === 'listening' && turn === typed);
    client.skipFrames(3);
    client.sound(64, false);
    client.say({ type: 'bye' });
    await client.closed;
    await expect.poll(() => server.metric('voicechat_ws_closed_total{code="1000"}')).toBe(1);
    const counted = {
      'voicechat_turns_total{outcome="completed"}': 2,
      'voicechat_turns_total{outcome="ignored"}': 1,
      // Two utterances of 16 frames of speech and 20 of silence, and two frames after the gap.
      voicechat_mic_frames_total: 2 * (16 + 20) + 2,
      voicechat_mic_frames_lost_total: 1,
      voicechat_turn_latency_seconds_count: 2,
      'voicechat_stage_seconds_count{stage="asr"}': 2,
      'voicechat_stage_seconds_count{stage="tts"}': 2,
      'voicechat_sessions_total{outcome="ended"}': 1,
      voicechat_sessions_active: 0,
    };
    for (const [name, value] of Object.entries(counted)) expect(await server.metric(name), name).toBe(value);
  });
});
