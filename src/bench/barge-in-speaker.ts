import { setTimeout as sleep } from 'node:timers/promises';
import type { Browser, Page } from 'playwright-core';
import { MIC_RATE, writePcm16 } from '../protocol/pcm.ts';
import { launchChromium } from './chromium.ts';
import { type BargeIn, FAKE_MICROPHONE } from './fake-microphone.ts';
import { onsetLag } from './onset-lag.ts';
import { percentile, type Row, type Say, spread } from './row.ts';
import { scriptedConfig, startServerProcess } from './server-process.ts';
import { realUtterances, type Utterance } from './speech-set.ts';
import { SENTENCES } from './synthesis-sentences.ts';
import { synthesisedUtterances } from './synthesised.ts';

const TIMES = 48;
/** So much of an utterance after its onset is spoken: the rest would only take time. */
const SPOKEN_MS = 1_500;
const PATIENCE_MS = 6_000;

/**
 * Real speech into the page's microphone over a playing reply, with Silero: from its onset in the stream to silence at the
 * playback worklet's output in Chromium. The baseline is the part until `flush` has reached the page.
 */
export async function bargeInSpeaker(say: Say): Promise<Row[]> {
  const real = realUtterances(TIMES, 8);
  if (real.length === 0) say('The recordings (../shared/data) are not here: synthesised speech takes their place.');
  const utterances = (real.length > 0 ? real : await synthesisedUtterances(SENTENCES.slice(0, TIMES))).map(shortened);
  const browser = await launchChromium();
  if (typeof browser === 'string') {
    say(`barge-in-speaker is not measured: ${browser}`);
    return [];
  }
  let times: BargeIn[];
  try {
    times = await measure(browser, utterances, say);
  } finally {
    await browser.close();
  }
  if (times.length === 0) return [];
  const median = (part: (one: BargeIn) => number) => Math.round(percentile(times.map(part), 50) * 10) / 10;
  const flushMs = median((one) => one.flush - one.onset);
  const lag = spread(await onsetLag(utterances));
  say(`onset → enough heard to believe it (sound alone): p50 ${lag.p50} ms, p95 ${lag.p95} ms`);
  say(`onset → flush at the page: p50 ${flushMs} ms`);
  say(`flush at the page → silence known at the worklet: p50 ${median((one) => one.worklet - one.flush)} ms`);
  say(`onset → silence at the device, its latency included: p50 ${median((one) => one.device - one.onset)} ms`);
  const figures = spread(times.map(({ onset, worklet }) => worklet - onset));
  return [
    { id: 'barge-in-speaker', unit: 'ms', ...figures, baseline: flushMs, bar: 'p50 ≤ 180', ok: figures.p50! <= 180 },
  ];
}

async function measure(browser: Browser, utterances: readonly Utterance[], say: Say): Promise<BargeIn[]> {
  const reply = `${Array.from({ length: 400 }, () => 'words').join(' ')}.`;
  const config = scriptedConfig({ vad: { engine: 'silero' }, llm: { engine: 'scripted', replies: [reply] } });
  await using server = await startServerProcess(config);
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.addInitScript({ content: FAKE_MICROPHONE });
  await page.goto(server.url);
  await page.waitForSelector('[data-link=ready]');
  await page.click('#talk');
  await page.waitForSelector('[data-live=true]');
  const times: BargeIn[] = [];
  for (const [i, utterance] of utterances.entries()) {
    await page.fill('#text', 'Talk to me.');
    await page.press('#text', 'Enter');
    await page.waitForSelector('[data-phase=speaking]');
    await sleep(300 + 37 * (i % 10));
    const found = await bargeIn(page, utterance);
    if (found) times.push(found);
    else say(`${utterance.id}: the reply was not silenced within ${PATIENCE_MS / 1000} s`);
    // The rest of the utterance, the end of its turn, and quiet before the next.
    await sleep(SPOKEN_MS + 800);
  }
  return times;
}

async function bargeIn(page: Page, { samples, onset }: Utterance): Promise<BargeIn | undefined> {
  const pcm = Buffer.alloc(2 * samples.length);
  writePcm16(samples, new DataView(pcm.buffer, pcm.byteOffset, pcm.length), 0);
  await page.evaluate(`fakeMicrophone.say(${JSON.stringify(pcm.toString('base64'))}, ${onset})`);
  return page.evaluate<BargeIn | undefined>(`fakeMicrophone.silenced(${PATIENCE_MS})`);
}

function shortened(utterance: Utterance): Utterance {
  const samples = utterance.samples.slice(0, utterance.onset + (SPOKEN_MS / 1000) * MIC_RATE);
  return { ...utterance, samples, end: Math.min(utterance.end, samples.length) };
}
