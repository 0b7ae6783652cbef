import type { LoopName } from '../../../../protocol/messages.ts';
import { ease } from '../../lip-sync/mouth/curves.ts';

/** How a still picture stands at one moment; lengths in pixels of a face 185 pixels wide. */
export type Pose = {
  /** How far the chest is filled, 0 to 1. */
  readonly breath: number;
  /** The head's way to the right and down, and its tilt to the right in radians. */
  readonly x: number;
  readonly y: number;
  readonly roll: number;
  /** How far the middle of the face goes to the right and down before its edges: it turns and nods. */
  readonly yaw: number;
  readonly pitch: number;
  /** How far the eyes are closed, 0 to 1, and where the pupils go, as shares of half an eye's width. */
  readonly lids: number;
  readonly gazeX: number;
  readonly gazeY: number;
};

/** A loop's movement: how strong each part is, and when its blinks begin, as shares of its length. */
type Manner = {
  readonly sway: { readonly [part in 'x' | 'y' | 'roll' | 'yaw' | 'pitch']: number };
  /** How often the head changes its direction, in Hz. */
  readonly pace: number;
  /** Where in its course the swaying begins, so that two loops of one kind differ. */
  readonly phase: number;
  readonly blinks: readonly number[];
  /** Movements that are made once: from, to (shares of the loop), and where to. */
  readonly gestures: readonly ({ readonly from: number; readonly to: number } & Partial<Omit<Pose, 'breath'>>)[];
};

const DEGREE = Math.PI / 180;

const MANNERS: Readonly<Record<LoopName, Manner>> = {
  idle: {
    sway: { x: 1.1, y: 0.5, roll: 0.6 * DEGREE, yaw: 2.1, pitch: 1.1 },
    pace: 0.22,
    phase: 0,
    blinks: [0.27, 0.74],
    gestures: [],
  },
  listening: {
    sway: { x: 0.5, y: 0.3, roll: 0.3 * DEGREE, yaw: 1, pitch: 0.6 },
    pace: 0.25,
    phase: 2,
    blinks: [0.22, 0.81],
    gestures: [
      { from: 0.04, to: 0.97, roll: 2 * DEGREE, x: 2 },
      { from: 0.36, to: 0.54, pitch: 4.4, y: 2.4 },
      { from: 0.51, to: 0.69, pitch: 2.8, y: 1.5 },
    ],
  },
  thinking: {
    sway: { x: 0.5, y: 0.3, roll: 0.3 * DEGREE, yaw: 0.8, pitch: 0.5 },
    pace: 0.3,
    phase: 4,
    blinks: [0.13, 0.79],
    gestures: [
      { from: 0.06, to: 0.94, roll: -2.2 * DEGREE, yaw: 5, pitch: -2.8, x: 2.2 },
      { from: 0.14, to: 0.86, gazeX: 0.2, gazeY: -0.06 },
    ],
  },
  'speaking-1': {
    sway: { x: 2.2, y: 1.4, roll: 1.3 * DEGREE, yaw: 4.6, pitch: 3 },
    pace: 0.5,
    phase: 1,
    blinks: [0.19, 0.63],
    gestures: [
      { from: 0.28, to: 0.4, pitch: 3, y: 1.4 },
      { from: 0.66, to: 0.8, pitch: 3.4, y: 1.7 },
    ],
  },
  'speaking-2': {
    sway: { x: 2.6, y: 1.7, roll: 1.6 * DEGREE, yaw: 5.2, pitch: 3.4 },
    pace: 0.58,
    phase: 3,
    blinks: [0.14, 0.47, 0.83],
    gestures: [
      { from: 0.16, to: 0.27, pitch: 3.4, y: 1.7 },
      { from: 0.4, to: 0.66, roll: -1.6 * DEGREE, yaw: -3 },
      { from: 0.7, to: 0.81, pitch: 3.2, y: 1.6 },
    ],
  },
};

/** Seconds that a breath and a blink take, and in which a loop's movement begins and ends. */
const BREATH = 3.2;
const CLOSING = 0.06;
const CLOSED = 0.04;
const OPENING = 0.1;
const SETTLING = 0.7;

/** How the picture stands `time` seconds into a loop of `seconds`: as it is, and at rest, at both its ends. */
export function poseAt(loop: LoopName | 'reply', seconds: number, time: number): Pose {
  const { sway, pace, phase, blinks, gestures } = MANNERS[loop === 'reply' ? 'speaking-1' : loop];
  const settling = Math.min(SETTLING, seconds / 3);
  const share = ease(time / settling) * ease((seconds - time) / settling);
  const waves = (part: number) => share * wave(time * pace, phase + 1.7 * part);
  const breaths = Math.max(1, Math.round(seconds / BREATH));
  const pose = {
    breath: Math.sin((Math.PI * breaths * time) / seconds) ** 2,
    x: sway.x * waves(0),
    y: sway.y * waves(1),
    roll: sway.roll * waves(2),
    // A head that goes to one side turns there too.
    yaw: sway.yaw * (0.6 * waves(0) + 0.6 * waves(3)),
    pitch: sway.pitch * waves(4),
    lids: Math.max(0, ...blinks.map((at) => lidsAt(time - at * seconds))),
    gazeX: 0,
    gazeY: 0,
  };
  for (const { from, to, ...towards } of gestures) {
    const span = (to - from) * seconds;
    const rise = Math.min(0.5 * span, 0.8);
    const since = time - from * seconds;
    const done = ease(since / rise) * ease((span - since) / rise);
    for (const [part, most] of Object.entries(towards)) pose[part as keyof Pose] += most * done;
  }
  return pose;
}

/** A movement that does not look repeated: from about -1 to 1. */
function wave(turns: number, phase: number): number {
  const angle = 2 * Math.PI * turns;
  return (
    0.6 * Math.sin(angle + phase) + 0.3 * Math.sin(1.73 * angle + 2.1 * phase) + 0.15 * Math.sin(2.9 * angle + phase)
  );
}

function lidsAt(since: number): number {
  return ease(since / CLOSING) * ease((CLOSING + CLOSED + OPENING - since) / OPENING);
}
