import type { MouthShape } from '../../contracts.ts';
import { ease } from './curves.ts';
import type { MouthMap } from './mouth-map.ts';

/** Columns per pixel: fine enough that the nearest one will do. */
export const COLUMNS_PER_PIXEL = 3;

/** Greatest height of the opening, as a share of half the mouth's width. */
const WIDEST = 0.78;

/** How much of the opening the upper lip makes by rising. */
export const UPPER_SHARE = 0.22;

/**
 * Where everything in a mouth goes for one shape, for columns across the mouth's surroundings. All lengths in pixels in
 * the mouth's axes; `was…` of the picture, `is…` of the result.
 */
export type MouthColumns = {
  readonly count: number;
  /** How much further from the middle a column was, where the lips are. */
  readonly aside: Float32Array;
  readonly wasUpper: Float32Array;
  readonly wasLower: Float32Array;
  readonly isTop: Float32Array;
  readonly isUpper: Float32Array;
  readonly isLower: Float32Array;
  readonly isBottom: Float32Array;
  /** How far the upper edge of the upper lip, the lower edge of the lower lip and the chin have gone down. */
  readonly topDown: Float32Array;
  readonly bottomDown: Float32Array;
  readonly chinDown: Float32Array;
  /** Thickness of the lips against what it was. */
  readonly thickness: Float32Array;
  /** How far the corners are from the middle. */
  readonly corner: number;
  /** Half the width of the opening, and its greatest height. */
  readonly halfOpen: number;
  readonly gap: number;
  /** Between these heights all goes sideways as the lips do. */
  readonly lipsFrom: number;
  readonly lipsTo: number;
};

/** Works out where the columns of `map` go for `shape`. */
export function moveColumns(map: MouthMap, shape: MouthShape): MouthColumns {
  const open = clamp(shape.open, 0, 1);
  const round = clamp(-shape.wide, 0, 1);
  const spread = clamp(shape.wide, 0, 1);
  const pressed = clamp(shape.pressed, 0, 1);
  const { half } = map;
  const count = 2 * Math.ceil(map.side * COLUMNS_PER_PIXEL) + 1;
  const columns = {
    count,
    aside: new Float32Array(count),
    wasUpper: new Float32Array(count),
    wasLower: new Float32Array(count),
    isTop: new Float32Array(count),
    isUpper: new Float32Array(count),
    isLower: new Float32Array(count),
    isBottom: new Float32Array(count),
    topDown: new Float32Array(count),
    bottomDown: new Float32Array(count),
    chinDown: new Float32Array(count),
    thickness: new Float32Array(count),
  };
  // Lips move apart from their middle on: a mouth a little open is not open up to its corners.
  const wider = 1 - 0.26 * round + 0.1 * spread - 0.05 * open * (1 - spread);
  const halfOpen = half * wider * (0.72 + 0.22 * ease(open / 0.4) + 0.04 * spread * (1 - open));
  const roominess = Math.min(1, (map.chin - Math.max(...map.bottom)) / (0.9 * half));
  const gap = WIDEST * half * open * (1 - 0.25 * spread * (1 - open)) * roominess;
  const power = 1.2 - 0.4 * round - 0.4 * open * (1 - round);
  const lips = (1 - 0.32 * pressed) * (1 + 0.1 * round * (1 - pressed)) * (1 - 0.08 * spread);
  const centre = (map.upper.length - 1) / 2;
  const rest = map.lower[Math.round(centre)]! - map.upper[Math.round(centre)]!;
  const jawDown = 0.62 * ((1 - UPPER_SHARE) * gap - 0.65 * rest);

  for (let i = 0; i < count; i++) {
    const x = (i - (count - 1) / 2) / COLUMNS_PER_PIXEL;
    const aside = moved(x, half, wider, 0.85 * map.side);
    const share = Math.min(1, Math.abs((x + aside) / half));
    const across = Math.sign(x + aside) * share * centre + centre;
    const upper = at(map.upper, across);
    const lower = at(map.lower, across);
    const meet = upper + 0.35 * (lower - upper);
    const inside = Math.max(0, 1 - (x / halfOpen) ** 2);
    const opening = gap * inside ** power;
    // The corners give a little when the mouth opens, and rise when it spreads.
    const corner = half * (0.07 * open - 0.035 * spread) * cornerBell(x / (half * wider));
    const isUpper = meet - UPPER_SHARE * opening + corner;
    const isLower = meet + (1 - UPPER_SHARE) * opening + corner;
    const thickness = 1 + (lips - 1) * (1 - ease((Math.abs(x) / (half * wider) - 0.95) / 0.35));
    const lipsAbove = (upper - at(map.top, across)) * thickness;
    const lipsBelow = (at(map.bottom, across) - lower) * thickness;
    columns.aside[i] = aside;
    columns.wasUpper[i] = upper;
    columns.wasLower[i] = lower;
    columns.isUpper[i] = isUpper;
    columns.isLower[i] = isLower;
    columns.isTop[i] = isUpper - lipsAbove;
    columns.isBottom[i] = isLower + lipsBelow;
    columns.topDown[i] = isUpper - lipsAbove - at(map.top, across);
    columns.bottomDown[i] = isLower + lipsBelow - at(map.bottom, across);
    columns.thickness[i] = thickness;
    columns.chinDown[i] = jawDown * (1 - ease(Math.abs(x) / map.side));
  }
  const middle = (count - 1) / 2;
  const lipsFrom = Math.min(columns.isTop[middle]!, Math.min(...map.top));
  return { ...columns, corner: half * wider, halfOpen, gap, lipsFrom, lipsTo: columns.isBottom[middle]! };
}

/** How much further from the middle that was which is now at `x`: scaled within the mouth, unmoved from `side` on. */
function moved(x: number, half: number, wider: number, side: number): number {
  const corner = half * wider;
  const away = Math.abs(x);
  const most = half - corner;
  if (away <= corner) return (most * x) / corner;
  return Math.sign(x) * most * (1 - ease((away - corner) / (side - corner)));
}

const cornerBell = (x: number): number => ease(Math.abs(x) / 0.9) * (1 - ease((Math.abs(x) - 0.9) / 0.9));

function at(values: Float32Array, index: number): number {
  const before = Math.floor(index);
  const share = index - before;
  return share === 0 ? values[before]! : values[before]! * (1 - share) + values[before + 1]! * share;
}

const clamp = (x: number, least: number, most: number): number => Math.min(most, Math.max(least, x));
