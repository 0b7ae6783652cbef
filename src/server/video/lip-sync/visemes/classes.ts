import type { MouthShape } from '../../contracts.ts';

/** What the mouth does for a group of sounds. */
export type Viseme = MouthShape & {
  /** How much it insists against its neighbours: lips must meet for a "b", the tongue's sounds leave the lips to the vowel. */
  readonly dominance: number;
};

/** The mouth for each output of the network, in its order (the classes of scripts/train-visemes.py). */
export const VISEMES: readonly Viseme[] = [
  viseme('silence', { open: 0, wide: 0, pressed: 0, teeth: 0 }, 1),
  viseme('m b p', { open: 0, wide: 0, pressed: 1, teeth: 0 }, 2.5),
  viseme('f v', { open: 0.2, wide: 0.1, pressed: 0, teeth: 0.8 }, 1.8),
  viseme('s z sh ch', { open: 0.35, wide: 0.35, pressed: 0, teeth: 0.9 }, 1),
  viseme('a', { open: 1, wide: 0.1, pressed: 0, teeth: 0.25 }, 1),
  viseme('e', { open: 0.65, wide: 0.35, pressed: 0, teeth: 0.3 }, 1),
  viseme('i', { open: 0.5, wide: 0.8, pressed: 0, teeth: 0.45 }, 1),
  viseme('o u w', { open: 0.6, wide: -0.9, pressed: 0, teeth: 0 }, 1.4),
  viseme('t d n l k h', { open: 0.3, wide: 0.15, pressed: 0, teeth: 0.35 }, 0.5),
  viseme('r', { open: 0.5, wide: -0.45, pressed: 0, teeth: 0.15 }, 0.8),
];

/** Which of them is silence. */
export const SILENCE = 0;

function viseme(_sounds: string, shape: MouthShape, dominance: number): Viseme {
  return { ...shape, dominance };
}
