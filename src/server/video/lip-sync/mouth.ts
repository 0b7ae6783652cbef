import type { Face, MouthShape, Picture } from '../contracts.ts';
import { ease } from './mouth/curves.ts';
import { COLUMNS_PER_PIXEL, type MouthColumns, moveColumns } from './mouth/mouth-columns.ts';
import { type MouthMap, mapMouth } from './mouth/mouth-map.ts';
import { insideOf } from './mouth/opening.ts';

const maps = new WeakMap<Face, MouthMap>();

/** The pixels as they were, while they are overwritten; kept, since a clip has thousands of frames of one size. */
let before = new Uint8Array(0);

/**
 * Gives the mouth of `face` in `picture` another shape, in place; `shape.open` is absolute, so that an open mouth is closed
 * too. How the mouth stands in the picture is looked at once for each `face` object: use another for another picture.
 */
export function moveMouth(picture: Picture, face: Face, shape: MouthShape): void {
  if (face.innerLips.length < 4 || face.outerLips.length < 4) return;
  let map = maps.get(face);
  if (!map) {
    map = mapMouth(picture, face);
    maps.set(face, map);
  }
  warp(picture, map, moveColumns(map, shape), shape);
}

function warp(picture: Picture, map: MouthMap, columns: MouthColumns, shape: MouthShape): void {
  const { width, height, rgb } = picture;
  const { axes, side, nose, chin, neck } = map;
  const { x: ox, y: oy, cos, sin } = axes;
  const inside = insideOf(map, columns, shape);
  const xs = [-side, side].flatMap((u) => [nose, neck].map((v) => ox + u * cos - v * sin));
  const ys = [-side, side].flatMap((u) => [nose, neck].map((v) => oy + u * sin + v * cos));
  const [x0, x1] = [Math.max(0, Math.floor(Math.min(...xs))), Math.min(width - 1, Math.ceil(Math.max(...xs)))];
  const [y0, y1] = [Math.max(0, Math.floor(Math.min(...ys))), Math.min(height - 1, Math.ceil(Math.max(...ys)))];
  if (before.length < rgb.length) before = new Uint8Array(rgb.length);
  const stride = width * 3;
  before.set(rgb.subarray(y0 * stride, (y1 + 1) * stride), y0 * stride);

  const { aside, isUpper, isLower, lipsFrom, lipsTo, corner } = columns;
  const colour = new Float32Array(3);
  const shadow = 0.3 * ease(columns.gap / 6);
  for (let y = y0; y <= y1; y++) {
    for (let x = x0; x <= x1; x++) {
      const u = (x - ox) * cos + (y - oy) * sin;
      const v = (y - oy) * cos - (x - ox) * sin;
      if (v <= nose || v >= neck || u <= -side || u >= side) continue;
      const i = Math.round((u + side) * COLUMNS_PER_PIXEL);
      const upper = isUpper[i]!;
      const lower = isLower[i]!;
      const from = cameFrom(v, i, map, columns);
      let inLips = 1;
      if (v < lipsFrom) inLips = ease((v - nose) / (lipsFrom - nose));
      else if (v > lipsTo) inLips = 1 - ease((v - lipsTo) / (0.7 * (chin - lipsTo)));
      // The jaw's own edge stays when lips go sideways.
      const edge = (u < 0 ? map.jawLeft : map.jawRight)[Math.round(v - nose)]!;
      const du = aside[i]! * inLips * (1 - ease((Math.abs(u) / edge - 0.5) / 0.5));
      const dv = from - v;
      const to = (y * width + x) * 3;
      if (du !== 0 || dv !== 0) sample(x + du * cos - dv * sin, y + du * sin + dv * cos, width, height, rgb, to);

      if (v < upper - 8 || v > lower + 8 || Math.abs(u) > corner) continue;
      const gap = lower - upper;
      const covered = clamp01(v - upper + 0.5) - clamp01(v - lower + 0.5);
      if (covered < 1 && gap + map.parted > 0.01) {
        // Lips lie in each other's shadow and in the mouth's; open ones bring no line along to close on.
        const away = Math.max(0, upper - v, v - lower);
        const near = 1 - ease((Math.abs(u) / corner - 0.7) / 0.3);
        const line = 0.45 * map.parted * near * Math.exp(-away * away);
        const shade = (1 - shadow * Math.min(1, gap / 4) * Math.exp(-away / 2.2)) * (1 - line);
        for (let c = 0; c < 3; c++) rgb[to + c] = rgb[to + c]! * shade;
      }
      if (covered <= 0) continue;
      inside(u, v - upper, gap, colour);
      for (let c = 0; c < 3; c++) rgb[to + c] = rgb[to + c]! + covered * (colour[c]! - rgb[to + c]!);
    }
  }
}

/** Where that was which is now at height `v` of column `i`. */
function cameFrom(v: number, i: number, { nose, chin, neck }: MouthMap, columns: MouthColumns): number {
  const top = columns.isTop[i]!;
  const bottom = columns.isBottom[i]!;
  const upper = columns.isUpper[i]!;
  const lower = columns.isLower[i]!;
  const thickness = columns.thickness[i]!;
  if (v + v < upper + lower) {
    if (v < top) return v - columns.topDown[i]! * ease((v - nose) / (top - nose));
    return columns.wasUpper[i]! - Math.max(0, upper - v) / thickness;
  }
  if (v <= bottom) return columns.wasLower[i]! + Math.max(0, v - lower) / thickness;
  const chinDown = columns.chinDown[i]!;
  if (v > chin) return v - chinDown * (1 - ease((v - chin) / (neck - chin)));
  const bottomDown = columns.bottomDown[i]!;
  return v - bottomDown - ease((v - bottom) / (chin - bottom)) * (chinDown - bottomDown);
}

/** Writes the colour that was at a place between pixels. */
function sample(x: number, y: number, width: number, height: number, rgb: Uint8Array, to: number): void {
  const px = x < 0 ? 0 : x > width - 1.001 ? width - 1.001 : x;
  const py = y < 0 ? 0 : y > height - 1.001 ? height - 1.001 : y;
  const left = px | 0;
  const top = py | 0;
  const fx = px - left;
  const fy = py - top;
  const at = (top * width + left) * 3;
  const under = at + width * 3;
  for (let c = 0; c < 3; c++) {
    const above = before[at + c]! + fx * (before[at + c + 3]! - before[at + c]!);
    const below = before[under + c]! + fx * (before[under + c + 3]! - before[under + c]!);
    rgb[to + c] = above + fy * (below - above) + 0.5;
  }
}

const clamp01 = (x: number): number => (x < 0 ? 0 : x > 1 ? 1 : x);
