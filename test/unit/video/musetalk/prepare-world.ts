import type { BaseClip, Box, Face, Picture } from '../../../../src/server/video/contracts.ts';
import {
  LATENT_CHANNELS,
  LATENT_SIZE,
  type MuseTalkNetworks,
  PARSE_SIZE,
  POSE_HEIGHT,
  POSE_POINTS,
  POSE_SPLIT,
  POSE_WIDTH,
} from '../../../../src/server/video/lip-sync/musetalk/networks.ts';

type Networks = Pick<MuseTalkNetworks, 'pose' | 'latents' | 'parse'>;

/** Pixels of a clip's frames, and how far from its middle a face reaches. */
const SIZE = 96;
export const REACH = 20;

/** A face's middle is its brightest spot. */
function frame(x: number, y: number): Picture {
  const rgb = new Uint8Array(3 * SIZE * SIZE);
  for (let i = 0; i < rgb.length; i++) rgb[i] = 40 + ((i * 7) % 90);
  for (let row = y - 2; row <= y + 2; row++) rgb.fill(255, 3 * (row * SIZE + x - 2), 3 * (row * SIZE + x + 3));
  return { width: SIZE, height: SIZE, rgb };
}

const faceIn = (box: Box): Face => ({ box, outerLips: [], innerLips: [], leftEye: [], rightEye: [], jaw: [] });

/** A clip with a face in the middle of each frame, `places` of them, which it gives back to front too with `mirrored`. */
export function clipOf(places: readonly (readonly [number, number])[], folder?: string, mirrored = false): BaseClip {
  const order = places.map((_, i) => i);
  if (mirrored) order.push(...order.slice(1, -1).reverse());
  return {
    width: SIZE,
    height: SIZE,
    frames: order.length,
    picture: async (index) => frame(...places[order[index]!]!),
    face: (index) => {
      const [x, y] = places[order[index]!]!;
      return faceIn({ x: x - REACH, y: y - REACH, width: 2 * REACH, height: 2 * REACH });
    },
    ...(folder === undefined ? {} : { folder }),
  };
}

/** Networks that answer what their pictures make of them, as quickly as it goes, and count how often they were asked. */
export function networks(): Networks & { readonly asked: { pose: number; latents: number; parse: number } } {
  const asked = { pose: 0, latents: 0, parse: 0 };
  return {
    asked,
    async pose(planes, signal) {
      signal.throwIfAborted();
      asked.pose++;
      return scoresAround(...brightest(planes));
    },
    async latents(face, signal) {
      signal.throwIfAborted();
      asked.latents++;
      // Not numbers that 16 bits have.
      const mean = face.reduce((sum, value) => sum + value, 0) / face.length;
      return Float32Array.from({ length: LATENT_CHANNELS * LATENT_SIZE ** 2 }, (_, i) => Math.sin(i + mean / 10));
    },
    async parse(planes, signal) {
      signal.throwIfAborted();
      asked.parse++;
      // All skin, but for what the picture's first pixels say.
      return new Uint8Array(PARSE_SIZE ** 2).fill(1).map((skin, i) => (planes[i]! > 2 ? 0 : skin));
    },
  };
}

function brightest(planes: Float32Array): [number, number] {
  let [left, top, right, bottom] = [POSE_WIDTH, POSE_HEIGHT, 0, 0];
  const white = (255 - 123.675) / 58.395 - 1e-3;
  for (let y = 0; y < POSE_HEIGHT; y++) {
    for (let x = 0; x < POSE_WIDTH; x++) {
      if (planes[y * POSE_WIDTH + x]! < white) continue;
      [left, right] = [Math.min(left, x), Math.max(right, x)];
      [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
    }
  }
  return [(left + right) / 2, (top + bottom) / 2];
}

/** Points of a face that reaches `REACH` pixels of the clip around a place in what the network sees. */
function scoresAround(x: number, y: number): { x: Float32Array; y: Float32Array } {
  const [binsX, binsY] = [POSE_WIDTH * POSE_SPLIT, POSE_HEIGHT * POSE_SPLIT];
  const reach = Math.round((REACH * POSE_WIDTH * POSE_SPLIT) / (1.25 * SIZE));
  const scores = { x: new Float32Array(POSE_POINTS * binsX), y: new Float32Array(POSE_POINTS * binsY) };
  for (let i = 0; i < 68; i++) {
    const aside = i === 0 ? -reach : i === 16 ? reach : 0;
    const down = i === 8 ? reach : 0;
    scores.x[(23 + i) * binsX + Math.round(x * POSE_SPLIT + 0.5) + aside] = 1;
    scores.y[(23 + i) * binsY + Math.round(y * POSE_SPLIT) + down] = 1;
  }
  return scores;
}
