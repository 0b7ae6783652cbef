import { MIC_RATE } from '../protocol/pcm.ts';
import { tones } from '../server/engines/scripted/tones.ts';
import { attentiveLlm } from './attentive-llm.ts';
import type { Reporting } from './chat-client.ts';
import { type CutPlan, type CutReply, cutReply, type Way } from './cut-reply.ts';
import { hearAll } from './pocketsphinx-batch.ts';
import { resample } from './resample.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { scriptedConfig, startServerProcess } from './server-process.ts';
import { SENTENCES } from './synthesis-sentences.ts';
import { findTones } from './tone-words.ts';
import { pairWords, plainWords } from './word-errors.ts';

const CUTS = 200;
const AT_ONCE = 8;
const WAYS: readonly Way[] = ['interrupt', 'text', 'speech'];
const REPORTING: readonly Reporting[] = ['regular', 'at flush', 'unreliable'];
const PITCH = 300;

/** How many words were played: one number, or what it lies between where a word's place is not known. */
type Truth = { readonly from: number; readonly to: number };
/** Errors in words: of the history (the worse of what the page and the chat model were told) and of the plain way. */
type Judged = { readonly plan: CutPlan; readonly error: number; readonly plain: number };

/**
 * Replies cut at random places: the words that history holds against the words that were played, with the truth from the
 * played sound itself. The baseline is the worst error of splitting the whole reply's text by the share of it that was played.
 */
export async function heardTruth(say: Say): Promise<Row[]> {
  const judged = [...(await ofTones(say)), ...(await ofSpeech(say))];
  const figures = spread(judged.map(({ error }) => error));
  const baseline = Math.max(...judged.map(({ plain }) => plain));
  const value = figures.worst!;
  return [{ id: 'heard-truth', unit: 'words', ...figures, value, baseline, bar: 'worst ≤ 1', ok: value <= 1 }];
}

/** In real time: scripted tones, cut in every way, by clients that report well, hardly and badly. */
async function ofTones(say: Say): Promise<Judged[]> {
  const reply = SENTENCES.join(' ');
  const length = tones(reply, { rate: MIC_RATE, pitch: PITCH, speed: 1 }).samples.length / MIC_RATE;
  await using llm = await attentiveLlm(() => reply);
  await using server = await startServerProcess(
    scriptedConfig({
      turn: { endSilenceMs: 256 },
      llm: { engine: 'openai', baseUrl: llm.baseUrl },
      tts: { engine: 'scripted', pitch: PITCH },
    }),
  );
  const plans = Array.from({ length: CUTS }, (_, i): CutPlan => {
    const at = { ms: 200 + Math.random() * 2_800 };
    return { first: `Talk ${i}.`, way: WAYS[i % 3]!, reporting: REPORTING[Math.floor(i / 3) % 3]!, at };
  });
  const judged = await all(plans, async (plan) => {
    const cut = await cutReply(server.url, llm, plan);
    return judge(plan, cut, reply, tonesPlayed(cut), cut.played / cut.rate / length);
  });
  tell(say, 'scripted tones', judged);
  for (const reporting of REPORTING) {
    for (const way of WAYS) {
      const those = judged.filter(({ plan }) => plan.way === way && plan.reporting === reporting);
      say(`  reports ${reporting}, cut by ${way}: worst ${worst(those)} words in ${those.length} cuts`);
    }
  }
  return judged;
}

/** The words whose tones sound, to their middle at least, in what was played; none after one that is not the next word's. */
function tonesPlayed({ received, played, rate, phrases }: CutReply): Truth {
  const expected = phrases.flatMap((phrase) =>
    phrase
      .trim()
      .split(/\s+/)
      .map((_, i) => i % 16),
  );
  const found = findTones(received, rate, PITCH).filter(({ start, end }) => (start + end) / 2 <= played);
  const wrong = found.findIndex(({ index }, i) => index !== expected[i]);
  const count = wrong < 0 ? found.length : wrong;
  return { from: count, to: count };
}

/** Not in real time: the embedded voice, each reply cut at many places, with the words found by a recogniser. */
async function ofSpeech(say: Say): Promise<Judged[]> {
  const plain = SENTENCES.filter((text) => plainWords(text).length === text.split(' ').length && !/\d/.test(text));
  const replies = Array.from({ length: 10 }, (_, i) => plain.slice(4 * i, 4 * i + 4).join(' '));
  await using llm = await attentiveLlm((first) => replies[Number(/\d+/.exec(first)) % replies.length] ?? '');
  await using server = await startServerProcess(
    scriptedConfig({
      llm: { engine: 'openai', baseUrl: llm.baseUrl },
      tts: { engine: 'flite' },
      speech: { leadMs: 60_000 },
    }),
  );
  const plans = Array.from({ length: CUTS }, (_, i): CutPlan => {
    const way = WAYS[Math.floor(i / replies.length) % 2]!;
    return { first: `Talk ${i}.`, way, reporting: 'at flush', at: { share: 0.02 + 0.96 * Math.random() } };
  });
  const cuts = await all(plans, (plan) => cutReply(server.url, llm, plan));
  const heard = hearAll(cuts.slice(0, replies.length).map(({ received: samples, rate }) => at16k(samples, rate)));
  if (!heard) {
    say('The embedded voice is not judged: it needs the Debian packages pocketsphinx and pocketsphinx-en-us.');
    return [];
  }
  const places = heard.map((words, i) => {
    const said = plainWords(replies[i]!);
    return pairWords(
      said,
      words.map(({ text }) => text),
    ).flatMap(([a, b]) => {
      if (a === undefined || b === undefined || said[a] !== words[b]!.text) return [];
      return [{ word: a, middle: (words[b]!.start + words[b]!.end) / 2 / MIC_RATE }];
    });
  });
  const judged = cuts.map((cut, i) => {
    const reply = replies[i % replies.length]!;
    const seconds = cut.played / cut.rate;
    const found = places[i % replies.length]!;
    const from = (found.findLast(({ middle }) => middle <= seconds)?.word ?? -1) + 1;
    const to = found.find(({ middle }) => middle > seconds)?.word ?? reply.split(' ').length;
    return judge(plans[i]!, cut, reply, { from, to }, cut.played / cut.received.length);
  });
  const known = places.flat().length / replies.join(' ').split(' ').length;
  tell(say, `flite, ${Math.round(100 * known)} % of the words found by PocketSphinx`, judged);
  return judged;
}

const at16k = (samples: Float32Array, rate: number) => resample({ rate, samples }, MIC_RATE).samples;

function judge(plan: CutPlan, { heard, shown }: CutReply, reply: string, truth: Truth, share: number): Judged {
  const words = reply.split(' ');
  const off = (count: number) => Math.max(truth.from - count, count - truth.to, 0);
  const error = (text: string) => {
    const kept = text.split(/\s+/).filter((word) => word !== '');
    return kept.every((word, i) => word === words[i]) ? off(kept.length) : words.length;
  };
  const letters = share * reply.length;
  let at = 0;
  const plain = words.filter((word) => {
    const middle = at + word.length / 2;
    at += word.length + 1;
    return middle <= letters;
  });
  return { plan, error: Math.max(error(heard), error(shown)), plain: off(plain.length) };
}

function tell(say: Say, what: string, judged: readonly Judged[]): void {
  const exact = judged.filter(({ error }) => error === 0).length;
  const plain = judged.map((one) => one.plain);
  say(`${what}: ${exact} of ${judged.length} cuts exact, worst ${worst(judged)} words`);
  say(`  by share of letters: p50 ${percentile(plain, 50)}, worst ${percentile(plain, 100)} words`);
}

const worst = (judged: readonly Judged[]): number => Math.max(0, ...judged.map(({ error }) => error));

/** Does `work` for all of `items`, a few at once. */
async function all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const i = next++;
      results[i] = await work(items[i]!);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results;
}
