import type { MouthShape } from '../../contracts.ts';
import { ease } from './curves.ts';
import { type MouthColumns, UPPER_SHARE } from './mouth-columns.ts';
import type { Colour, MouthMap } from './mouth-map.ts';

/** What is seen of the inside of a mouth at one place; writes red, green and blue into `to`. */
export type Inside = (u: number, below: number, gap: number, to: Float32Array) => void;

/**
 * The inside of an open mouth: a dark throat in the tint of its lips, the upper teeth under the lip, a hint of the lower
 * ones, and the tongue low down. Asked with the place from the middle, how far below the upper edge it is, and how high
 * the opening is there.
 */
export function insideOf(map: MouthMap, columns: MouthColumns, shape: MouthShape): Inside {
  const { half, light } = map;
  const shine = 0.6 + 0.4 * Math.min(1, light * 1.3);
  const throat = mixed(scaled(map.lips, 0.16), [46 * shine, 15 * shine, 14 * shine], 0.6);
  const tongue = mixed(scaled(map.lips, 0.55), [172 * shine, 84 * shine, 80 * shine], 0.6);
  const enamel: Colour = [240 * shine, 225 * shine, 204 * shine];
  const round = Math.max(0, -shape.wide);
  // Teeth hide behind the lip of a rounded mouth, and show in a spread one.
  const showing = Math.min(1, Math.max(shape.teeth, 0.55 + 0.4 * Math.max(0, shape.wide) - 0.7 * round));
  const upperTeeth = (0.05 + 0.21 * showing) * half;
  const lowerTeeth = 0.16 * half * shape.teeth;
  const tongueTop = 0.5 - 0.12 * Math.max(0, shape.wide);
  return (u, below, gap, to) => {
    const x = u / columns.halfOpen;
    const aside = Math.min(1, x * x);
    const depth = below / Math.max(1, gap);
    to[0] = throat[0];
    to[1] = throat[1];
    to[2] = throat[2];

    const rise = ease((depth - tongueTop - 0.25 * aside) / 0.3) * ease((columns.gap / half - 0.18) / 0.25);
    const lit = 0.85 * (1 - 0.6 * aside) * rise;
    blend(to, tongue, lit, 1 - 0.25 * (1 - depth));

    // One tooth is some 0.22 of half a mouth wide; the dark between them is only hinted at.
    const gaps = 1 - 0.07 * ease((Math.abs(((u / (0.23 * half) + 1000) % 1) - 0.5) - 0.36) / 0.14);
    if (lowerTeeth > 0.5) {
      const edge = gap - lowerTeeth * (1 - 0.6 * aside);
      blend(
        to,
        enamel,
        0.7 * ease((shape.teeth - 0.25) / 0.5) * ease((below - edge) / 1.6 + 0.5),
        (0.62 - 0.35 * aside) * gaps,
      );
    }
    // Teeth do not rise with the lip: their edge is level, and higher at the sides.
    const edge = upperTeeth * (1 - 0.3 * aside) - UPPER_SHARE * (columns.gap - gap) + 0.25;
    const cover = ease((edge - below) / 1.8 + 0.5) * (0.75 + 0.25 * showing);
    const shade = (0.72 + 0.28 * ease(below / (0.12 * half))) * (0.97 - 0.5 * aside * aside) * gaps;
    blend(to, enamel, cover * (1 - ease((Math.abs(x) - 0.72) / 0.28)), shade);
  };
}

function blend(to: Float32Array, colour: Colour, share: number, shade: number): void {
  for (let c = 0; c < 3; c++) to[c] = to[c]! + share * (colour[c]! * shade - to[c]!);
}

function scaled([r, g, b]: Colour, by: number): Colour {
  return [r * by, g * by, b * by];
}

function mixed(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])];
}
