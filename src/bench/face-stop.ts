import { setTimeout as sleep } from 'node:timers/promises';
import type { Page } from 'playwright-core';
import { MIC_RATE, writePcm16 } from '../protocol/pcm.ts';
import { FacePage, type FaceStop } from './face-page.ts';
import { FAKE_MICROPHONE } from './fake-microphone.ts';
import { type Row, type Say, spread } from './row.ts';
import { realUtterances, type Utterance } from './speech-set.ts';
import { SENTENCES } from './synthesis-sentences.ts';
import { synthesisedUtterances } from './synthesised.ts';

const TIMES = 20;
const SPOKEN_MS = 1_500;
const PATIENCE_MS = 8_000;

/**
 * Speech into the page's microphone over a reply whose clip is shown: from `flush` reaching the page to the screen's drawing
 * on which the clip is gone and the listening loop, decoded and moving, is on top; in drawings and milliseconds.
 */
export async function faceStop(say: Say): Promise<Row[]> {
  const real = realUtterances(TIMES, 8);
  const utterances = real.length > 0 ? real : await synthesisedUtterances(SENTENCES.slice(0, TIMES));
  const reply = SENTENCES.join(' ');
  const options = { vad: 'silero', script: FAKE_MICROPHONE };
  const stops = await FacePage.with(say, reply, (face) => interruptAll(face, utterances, say), options);
  if (!stops || stops.length === 0) return [];
  const frames = spread(stops.map((stop) => stop.frames));
  return [
    { id: 'face-stop', unit: 'frames', ...frames, bar: 'worst ≤ 2', ok: frames.worst! <= 2 },
    { id: 'face-stop', unit: 'ms', ...spread(stops.map((stop) => stop.ms)) },
  ];
}

async function interruptAll(face: FacePage, utterances: readonly Utterance[], say: Say): Promise<FaceStop[]> {
  const { page } = face;
  await page.click('#talk');
  await page.waitForSelector('[data-live=true]');
  for (const utterance of utterances) {
    await face.ask('Talk to me.');
    const shown = await page.waitForSelector('#clip.on').catch(() => undefined);
    if (!shown) {
      say(`${utterance.id}: the reply had no clip within 30 s`);
      continue;
    }
    await sleep(400);
    const before = await stopped(page);
    await page.evaluate(`fakeMicrophone.say(${JSON.stringify(pcmOf(utterance))}, ${utterance.onset})`);
    const until = performance.now() + PATIENCE_MS;
    while ((await stopped(page)) === before && performance.now() < until) await sleep(50);
    if ((await stopped(page)) === before) say(`${utterance.id}: no flush within ${PATIENCE_MS / 1000} s`);
    // The rest of the utterance, the end of its turn, and quiet before the next.
    await sleep(SPOKEN_MS + 800);
  }
  return page.evaluate<FaceStop[]>('face.stops');
}

const stopped = (page: Page): Promise<number> => page.evaluate<number>('face.stops.length');

function pcmOf({ samples, onset }: Utterance): string {
  const spoken = samples.subarray(0, onset + (SPOKEN_MS / 1000) * MIC_RATE);
  const pcm = Buffer.alloc(2 * spoken.length);
  writePcm16(spoken, new DataView(pcm.buffer, pcm.byteOffset, pcm.length), 0);
  return pcm.toString('base64');
}
