import { setTimeout as sleep } from 'node:timers/promises';
import { FacePage } from './face-page.ts';
import { type Row, type Say, spread } from './row.ts';
import { SENTENCES } from './synthesis-sentences.ts';

const SECONDS = 60;
/** What the synthesiser needs for a letter, about; the reply is longer than needed and is cut. */
const LETTERS_PER_SECOND = 18;
const PATIENCE_S = 20;

/**
 * One reply of a minute in Chromium, at each frame of its clip that is put on the screen: how far the frame's time is from the
 * sample that leaves the loudspeaker when the frame is due there.
 */
export async function avOffset(say: Say): Promise<Row[]> {
  const frames = await FacePage.with(say, longReply(), async (face) => {
    await face.ask('Tell me about it.');
    await face.page.waitForSelector('[data-phase=speaking]');
    for (let waited = 0; waited < SECONDS + PATIENCE_S; waited++) {
      await sleep(1_000);
      if (((await face.frames()).at(-1)?.heard ?? 0) >= SECONDS) break;
    }
    return (await face.frames()).filter(({ heard }) => heard <= SECONDS);
  });
  if (!frames || frames.length === 0) return [];
  const offsets = frames.map(({ mediaTime, heard }) => (mediaTime - heard) * 1000);
  say(
    `${frames.length} frames from ${frames[0]!.heard.toFixed(2)} s to ${frames.at(-1)!.heard.toFixed(2)} s of the reply`,
  );
  const { p50, p95 } = spread(offsets);
  say(`with its sign (positive: picture ahead): p50 ${p50} ms, p95 ${p95} ms`);
  const figures = spread(offsets.map(Math.abs));
  return [{ id: 'av-offset', unit: 'ms', ...figures, bar: 'p95 ≤ 45', ok: figures.p95! <= 45 }];
}

function longReply(): string {
  let text = '';
  for (let i = 0; text.length < SECONDS * LETTERS_PER_SECOND * 1.3; i++) text += `${SENTENCES[i % SENTENCES.length]} `;
  return text.trim();
}
