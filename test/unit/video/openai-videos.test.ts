import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOpenAiVideos } from '../../../src/server/video/base/openai-videos.ts';
import type { BaseClipJob } from '../../../src/server/video/contracts.ts';
import { standIn } from '../../fixtures/stand-in.ts';

const never = new AbortController().signal;
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-chat-videos-'));
  writeFileSync(join(folder, 'picture.png'), 'a picture');
});
afterAll(() => rmSync(folder, { recursive: true }));

type Asked = { method: string; path: string; key: string | undefined; fields: Record<string, string> };

type Variant = {
  /** Fields that it refuses, and how. */
  readonly refuses?: readonly string[];
  readonly refusal?: number;
  /** Answers of the status, one after the other; the last one stays. */
  readonly news?: readonly object[];
  readonly create?: (n: number) => { status: number; body: unknown } | undefined;
  readonly video?: string;
  readonly deletes?: readonly number[];
};

/** A server with /v1/videos, as vLLM-Omni's, SGLang's or OpenAI's own. */
async function videoServer({ refuses = [], refusal = 422, news, create, video = 'a video', deletes = [200] }: Variant) {
  let created = 0;
  let asked = 0;
  let deleted = 0;
  return standIn<Asked>(
    async (incoming, body) => {
      const type = incoming.headers['content-type'];
      const form = type
        ? await new Response(new Uint8Array(body), { headers: { 'content-type': type } }).formData()
        : undefined;
      const fields: Record<string, string> = {};
      for (const [name, value] of form ?? []) fields[name] = typeof value === 'string' ? value : await value.text();
      return { method: incoming.method!, path: incoming.url!, key: incoming.headers.authorization, fields };
    },
    (response, { method, path, fields }) => {
      const say = (status: number, body: unknown) =>
        void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      if (method === 'DELETE') return say(deletes[Math.min(deleted++, deletes.length - 1)]!, { deleted: true });
      if (method === 'POST') {
        const special = create?.(created++);
        if (special) return say(special.status, special.body);
        const wrong = Object.keys(fields).find((name) => refuses.includes(name));
        if (wrong) return say(refusal, { error: { message: `Unknown parameter: ${wrong}` } });
        return say(200, { id: 'video_1', object: 'video', status: 'queued', progress: 0 });
      }
      if (path.endsWith('/content')) return void response.writeHead(200, { 'content-type': 'video/mp4' }).end(video);
      const all = news ?? [
        { status: 'queued' },
        { status: 'in_progress', progress: 50 },
        { status: 'completed', progress: 100 },
      ];
      return say(200, { id: 'video_1', ...all[Math.min(asked++, all.length - 1)] });
    },
  );
}

const job = (over: Partial<BaseClipJob> = {}): BaseClipJob => ({
  loop: 'idle',
  pictureFile: join(folder, 'picture.png'),
  face: { box: { x: 0, y: 0, width: 1, height: 1 }, outerLips: [], innerLips: [], leftEye: [], rightEye: [], jaw: [] },
  prompt: 'A person breathes.',
  negativePrompt: 'blurry',
  seconds: 5,
  file: join(folder, `${Math.random()}.mp4`),
  ...over,
});

const open = (server: { baseUrl: string }, over: object = {}, options: object = {}) =>
  createOpenAiVideos({ baseUrl: server.baseUrl, model: '', apiKey: '', ...over }, { pollMs: 1, ...options });

const sent = (server: { requests: readonly Asked[] }) => server.requests.filter(({ method }) => method === 'POST');

describe('a video by a server with /v1/videos', () => {
  it('is asked for with the picture, waited for, fetched, and deleted there', async () => {
    await using server = await videoServer({});
    await using maker = open(server, { model: 'wan', apiKey: 'key' });
    const progress: number[] = [];
    const one = job();
    expect(await maker.make(one, (done) => progress.push(done), never)).toEqual({ closes: false });
    expect(readFileSync(one.file, 'utf8')).toBe('a video');
    expect(progress).toEqual([0.5, 1]);
    expect(sent(server)[0]!.fields).toEqual({
      ...{ prompt: 'A person breathes.', negative_prompt: 'blurry', input_reference: 'a picture', model: 'wan' },
      ...{ size: '480x480', width: '480', height: '480', seconds: '5', num_frames: '81', fps: '16' },
      seed: expect.stringMatching(/^\d+$/),
    });
    await maker[Symbol.asyncDispose]();
    expect(server.requests.map(({ method, path, key }) => `${method} ${path} ${key}`)).toEqual([
      'POST /v1/videos Bearer key',
      ...Array(3).fill('GET /v1/videos/video_1 Bearer key'),
      'GET /v1/videos/video_1/content Bearer key',
      'DELETE /v1/videos/video_1 Bearer key',
    ]);
  });

  it.each<[string, readonly string[], number, readonly string[]]>([
    [
      "takes OpenAI's fields alone",
      ['num_frames', 'width', 'fps'],
      422,
      ['prompt', 'input_reference', 'size', 'seconds'],
    ],
    ['knows sizes of its own', ['num_frames', 'size'], 400, ['prompt', 'input_reference']],
  ])('that %s gets those, and is not asked for others again', async (_, refuses, refusal, fields) => {
    await using server = await videoServer({ refuses, refusal });
    await using maker = open(server);
    await maker.make(job(), () => {}, never);
    const tries = sent(server).length;
    expect(Object.keys(sent(server).at(-1)!.fields)).toEqual(fields);
    await maker.make(job(), () => {}, never);
    expect(sent(server)).toHaveLength(tries + 1);
  });

  it('that says no progress, or none that grows, is made all the same', async () => {
    const news = [{ status: 'in_progress', progress: 0 }, { status: 'in_progress' }, { status: 'completed' }];
    await using server = await videoServer({ news });
    await using maker = open(server);
    const progress: number[] = [];
    await maker.make(job(), (done) => progress.push(done), never);
    expect(progress).toEqual([1]);
  });

  it('is dropped at once when nobody wants it, and the server is told', async () => {
    await using server = await videoServer({ news: [{ status: 'in_progress', progress: 10 }], deletes: [409, 200] });
    await using maker = open(server);
    const cancel = new AbortController();
    const one = job();
    const made = maker.make(one, () => cancel.abort(new Error('somebody talks')), cancel.signal);
    await expect(made).rejects.toThrow('somebody talks');
    await maker[Symbol.asyncDispose]();
    expect(server.requests.filter(({ method }) => method === 'DELETE')).toHaveLength(2);
    expect(existsSync(one.file)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('ends with the maker', async () => {
    await using server = await videoServer({ news: [{ status: 'queued' }] });
    const maker = open(server);
    const made = expect(maker.make(job(), () => {}, never)).rejects.toThrow('shut down');
    while (server.requests.length < 2) await sleep(1);
    await maker[Symbol.asyncDispose]();
    await made;
  });

  it.each<[string, Variant, RegExp]>([
    [
      'lets nobody in',
      { create: () => ({ status: 401, body: {} }) },
      /does not let us in \(401\). Set video\.baseClips\.apiKey/,
    ],
    [
      'has no videos',
      { create: () => ({ status: 404, body: { detail: 'Not Found' } }) },
      /has no videos \(404\).*ends in \/v1/,
    ],
    [
      'has another model',
      { create: () => ({ status: 404, body: { error: 'no such model' } }) },
      /video\.baseClips\.model/,
    ],
    ['is busy', { create: () => ({ status: 429, body: {} }) }, /too much to do/],
    [
      'breaks',
      { create: () => ({ status: 500, body: { error: { message: 'out of memory' } } }) },
      /failed \(500\): out of memory/,
    ],
    ['refuses everything', { refuses: ['prompt'], refusal: 400 }, /refused the video \(400\).*from pictures/],
    [
      'is no such server',
      { create: () => ({ status: 200, body: { hello: 1 } }) },
      /answers otherwise than \/v1\/videos/,
    ],
    ['fails', { news: [{ status: 'failed', error: { message: 'NaN in latents' } }] }, /\(failed\): NaN in latents/],
    ['gives nothing', { video: '' }, /empty video/],
  ])('%s: an error that names the fix', async (_, variant, sentence) => {
    await using server = await videoServer(variant);
    await using maker = open(server);
    await expect(maker.make(job(), () => {}, never)).rejects.toThrow(sentence);
  });

  it('has no news for too long: an error', async () => {
    await using server = await videoServer({ news: [{ status: 'queued' }] });
    await using maker = open(server, {}, { patienceMs: 5 });
    await expect(maker.make(job(), () => {}, never)).rejects.toThrow(/no news.*queued/);
  });

  it('is not reachable: an error', async () => {
    const server = await videoServer({});
    await server[Symbol.asyncDispose]();
    await using maker = open(server);
    await expect(maker.make(job(), () => {}, never)).rejects.toThrow(/Nothing listens at/);
  });

  it('repeats what was to be said: it is not passed on', async () => {
    const prompt = 'A person says: the rhubarb is ripe';
    const body = { error: { message: `Bad prompt: ${prompt}` } };
    await using server = await videoServer({ create: () => ({ status: 500, body }) });
    await using maker = open(server);
    const error = await maker.make(job({ prompt }), () => {}, never).catch((one: Error) => one);
    expect(String(error)).toContain('failed (500)');
    expect(String(error)).not.toContain('rhubarb');
  });
});

describe('the maker', () => {
  it('keeps the voice free of servers on this machine alone', () => {
    expect(open({ baseUrl: 'http://127.0.0.1:8091/v1' }).heavy).toBe(true);
    expect(open({ baseUrl: 'http://192.168.1.2:8091/v1' }).heavy).toBe(false);
  });

  it('is of another version for another server or model, never for another key', () => {
    const version = (over: object) => open({ baseUrl: 'http://a/v1' }, over).version;
    expect(version({ apiKey: 'x' })).toBe(version({}));
    expect(new Set([version({}), version({ model: 'b' }), version({ baseUrl: 'http://b/v1' })]).size).toBe(3);
  });
});
