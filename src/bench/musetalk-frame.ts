import type { Box, Picture } from '../server/video/contracts.ts';
import { FACE_SIZE, PARSE_SIZE } from '../server/video/lip-sync/musetalk/networks.ts';
import { cropAround } from '../server/video/lip-sync/musetalk/pictures/crop-around.ts';
import { faceMask, type Mask } from '../server/video/lip-sync/musetalk/pictures/face-mask.ts';
import { parserInput } from '../server/video/lip-sync/musetalk/pictures/parser-input.ts';
import { pasteFace } from '../server/video/lip-sync/musetalk/pictures/paste-face.ts';
import { resizeLanczos4 } from '../server/video/lip-sync/musetalk/pictures/resize-lanczos4.ts';
import { toI420 } from '../server/video/mux/yuv.ts';
import { percentile, type Row, type Say, spread } from './row.ts';

const SIZE = 512;
const FRAMES = 1_000;
/** What is not counted yet, so that the compiler has seen it. */
const FIRST = 100;
/** A face nods and comes nearer: its box is another in every frame of this many. */
const POSES = 25;
const SKIN = 1;

/**
 * What a frame of MuseTalk costs outside its networks, 512 × 512 with a face of about 220 × 280: its copy, the painted face in it, and
 * its colours as the WebCodecs encoder wants them (ffmpeg takes the frame as it is). Cutting the face out is not among it, for that is
 * done once for each base clip; its cost is said beside it.
 */
export async function musetalkFrame(say: Say): Promise<Row[]> {
  const picture = grain(SIZE, SIZE);
  const { rgb: painted } = grain(FACE_SIZE, FACE_SIZE);
  const preparing: number[] = [];
  const poses = Array.from({ length: POSES }, (_, i): { face: Box; mask: Mask } => {
    const face = { x: 146 + (i % 7), y: 120 + (i % 5), width: 216 + (i % 9), height: 274 + (i % 13) };
    const began = performance.now();
    const crop = cropAround(face);
    resizeLanczos4(picture, face, FACE_SIZE, FACE_SIZE);
    parserInput(picture, crop);
    const mask = faceMask(seen(), crop, face, 'jaw');
    preparing.push(performance.now() - began);
    return { face, mask };
  });
  const { width, height } = poses[0]!.mask.box;
  say(`the mask's box is ${width} × ${height} of ${SIZE} × ${SIZE}; preparing takes ${p50(preparing)} ms per frame`);

  const [copied, pasted, converted, all]: [number[], number[], number[], number[]] = [[], [], [], []];
  for (let i = -FIRST; i < FRAMES; i++) {
    const { face, mask } = poses[(i + FIRST) % POSES]!;
    const began = performance.now();
    const frame = { ...picture, rgb: picture.rgb.slice() };
    const copy = performance.now();
    pasteFace(frame, painted, face, mask);
    const paste = performance.now();
    toI420(frame);
    const end = performance.now();
    if (i < 0) continue;
    copied.push(copy - began);
    pasted.push(paste - copy);
    converted.push(end - paste);
    all.push(end - began);
  }
  say(`copying ${p50(copied)} ms, pasting ${p50(pasted)} ms, colours for the encoder ${p50(converted)} ms`);
  const figures = spread(all);
  return [
    { id: 'musetalk-frame', unit: 'ms', ...figures, bar: 'p50 ≤ 4', ok: figures.p50! <= 4, baseline: p50(copied) },
  ];
}

const p50 = (values: readonly number[]): number => Math.round(percentile(values, 50) * 100) / 100;

function grain(width: number, height: number): Picture {
  return {
    width,
    height,
    rgb: Uint8Array.from({ length: 3 * width * height }, (_, i) => (i * 2_654_435_761) >>> 24),
  };
}

/** An oval of skin where a face is in the parser's picture. */
function seen(): Uint8Array {
  const half = PARSE_SIZE / 2;
  return Uint8Array.from({ length: PARSE_SIZE * PARSE_SIZE }, (_, i) => {
    const [right, down] = [(i % PARSE_SIZE) - half, Math.floor(i / PARSE_SIZE) - half];
    return (right / 130) ** 2 + (down / 160) ** 2 < 1 ? SKIN : 0;
  });
}
