import { FacePage } from './face-page.ts';
import { type Row, type Say, spread } from './row.ts';

const REPLIES = 24;
const REPLY = 'It is ten past nine in the evening here, the sky is clear, and the wind is calm.';

/**
 * From the moment a reply's first sample leaves the loudspeaker to the first frame of its clip on the screen, in Chromium;
 * the same machine runs the server, the encoder and the browser.
 */
export async function firstFace(say: Say): Promise<Row[]> {
  const waits = await FacePage.with(say, REPLY, async (face) => {
    for (let turn = 1; turn <= REPLIES; turn++) {
      await face.ask(`Question ${turn}`);
      await face.page.waitForSelector('[data-phase=speaking]');
      await face.page.waitForSelector('[data-phase=idle]');
    }
    const [sounds, clips] = [await face.marks('sound'), await face.marks('clip')];
    const missing = [...sounds.keys()].filter((turn) => !clips.has(turn));
    if (missing.length > 0) say(`${missing.length} of ${sounds.size} replies had no clip while they played`);
    // A reply without a face counts as one whose face came never.
    return [...sounds].map(([turn, at]) => Math.max(0, (clips.get(turn) ?? Number.POSITIVE_INFINITY) - at));
  });
  if (!waits || waits.length === 0) return [];
  const figures = spread(waits);
  return [{ id: 'first-face', unit: 'ms', ...figures, bar: 'p50 ≤ 1000', ok: figures.p50! <= 1000 }];
}
