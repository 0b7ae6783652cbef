/** Where a clip stands, whose picture follows the reply's sound. Times are seconds of the clip, which are those of the reply. */
export type Clip =
  /** Nothing that could be shown has arrived. */
  | { readonly is: 'loading' }
  /** Its frame at `at` is being decoded, or waits for its moment. */
  | { readonly is: 'placed'; readonly at: number; readonly lead: number; readonly shown: boolean }
  /** It runs, `drift` ahead of the sound (negative: behind), and has been at `at` since a moment of the page's clock. */
  | {
      readonly is: 'running';
      readonly rate: number;
      readonly drift: number | undefined;
      readonly at: number;
      readonly since: number;
    }
  /** It ran out of frames, and has not moved since a moment of the page's clock. */
  | { readonly is: 'starved'; readonly since: number };

/** What can be seen of the sound and of the video element. */
export type ClipSight = {
  /** The page's clock, in seconds. */
  readonly now: number;
  /** How much of the reply is heard now; negative just before its first sample, undefined while it does not sound. */
  readonly heard: number | undefined;
  /** What is there to be shown, from and to. */
  readonly from: number;
  readonly to: number;
  /** Nothing more will come. */
  readonly complete: boolean;
  /** The frame at the element's position is decoded. */
  readonly decoded: boolean;
  readonly position: number;
  /** Of a frame that was shown since the last look: its time less what was heard at that moment. */
  readonly drift?: number;
};

/** Where the clip stands now, whether it is on top, and what the element is to do. */
export type ClipStep = {
  readonly clip: Clip;
  readonly show: boolean;
  readonly seek?: number;
  /** Run at this rate. */
  readonly play?: number;
  readonly pause?: true;
};

/** A clip joins so far ahead of the sound that its frame is decoded by the time it is due. */
const LEAD_S = 0.12;
const LONGEST_LEAD_S = 1;
/** So much must be there beyond the frame at which it joins, or it would starve at once. */
const AHEAD_S = 0.2;
/** An element that is told to play needs about so long to move. */
const START_S = 0.05;
/** Further off than this it is put in its place instead of being nudged there. */
const SEEK_S = 0.25;
const NUDGES = [
  { above: 0.1, by: 0.12 },
  { above: 0.03, by: 0.06 },
  { above: 0.018, by: 0.03 },
] as const;
/** A nudge ends when it is this near. */
const NEAR_S = 0.005;
/** How much a new measurement of the drift counts: one frame may be late by itself. */
const TRUST = 0.25;
/** Nearer to the end of what is there than one frame, it has run out. */
const FRAME_S = 0.04;
/** A face that does not move for longer than this looks broken, whether its voice goes on or pauses; the loop does not. */
const FROZEN_S = 0.6;

/** One look at a clip, to be taken about as often as the screen is drawn. */
export function followSound(clip: Clip, sight: ClipSight): ClipStep {
  switch (clip.is) {
    case 'loading':
      return place(sight, LEAD_S, false) ?? { clip, show: false };
    case 'placed':
      return waitForMoment(clip, sight);
    case 'running':
      return keepUp(clip, sight);
    case 'starved': {
      const show = sight.now - clip.since < FROZEN_S;
      return place(sight, LEAD_S, show) ?? { clip, show };
    }
  }
}

/** Puts it where the sound will be, if those frames are there. */
function place(sight: ClipSight, lead: number, shown: boolean): ClipStep | undefined {
  const { heard = 0, from, to, complete } = sight;
  const at = heard <= 0 ? from : Math.max(from, heard + lead);
  if (at >= to || (!complete && at + AHEAD_S > to)) return undefined;
  return { clip: { is: 'placed', at, lead, shown }, show: shown, seek: at, pause: true };
}

function waitForMoment(clip: Extract<Clip, { is: 'placed' }>, sight: ClipSight): ClipStep {
  const stay = { clip, show: clip.shown };
  const late = (sight.heard ?? Number.NEGATIVE_INFINITY) - clip.at;
  if (!sight.decoded || late < -START_S) return stay;
  if (late > SEEK_S) return place(sight, Math.min(LONGEST_LEAD_S, clip.lead + late), clip.shown) ?? stay;
  const { now: since, position } = sight;
  const running = { is: 'running', rate: 1, drift: undefined, at: position, since } as const;
  return { clip: running, show: clip.shown || !early(sight), play: 1 };
}

function keepUp(clip: Extract<Clip, { is: 'running' }>, sight: ClipSight): ClipStep {
  const { now, heard, position, to, complete } = sight;
  const since = position === clip.at ? clip.since : now;
  const starved = { clip: { is: 'starved', since }, show: true, pause: true } as const;
  // Some elements stop before the very end of what is there.
  if (!complete && (to - position < FRAME_S || now - since > FROZEN_S)) return starved;
  const drift = smoothed(clip.drift, sight.drift);
  // An element that has stalled tells no frames, so its clock counts too.
  const behind = heard === undefined ? 0 : heard - position;
  if (heard !== undefined && (Math.abs(drift ?? 0) > SEEK_S || behind > SEEK_S)) {
    const placed = place(sight, LEAD_S, true);
    if (placed) return placed;
    if (!complete) return starved;
  }
  const rate = drift === undefined ? clip.rate : rateFor(drift, clip.rate);
  return {
    clip: { is: 'running', rate, drift, at: position, since },
    show: !early(sight),
    ...(rate !== clip.rate && { play: rate }),
  };
}

/** A mouth that moves before its voice is worse than one that joins in. */
function early({ heard }: ClipSight): boolean {
  return heard !== undefined && heard < 0;
}

function smoothed(drift: number | undefined, measured: number | undefined): number | undefined {
  if (measured === undefined) return drift;
  return drift === undefined ? measured : drift + TRUST * (measured - drift);
}

function rateFor(drift: number, rate: number): number {
  const off = Math.abs(drift);
  if (off < NEAR_S) return 1;
  const nudge = NUDGES.find(({ above }) => off > above) ?? (rate === 1 ? undefined : NUDGES.at(-1));
  return nudge ? 1 - Math.sign(drift) * nudge.by : 1;
}
