import { type Box, type Face, type Picture, type Point, VideoError } from '../contracts.ts';

/** Looks for the faces in a picture. */
export type FindFaces = (picture: Picture) => Promise<readonly Face[]>;

/** Faces are looked for in every third frame, and lie between in the frames between: landmarks move slowly at 25 fps. */
const STEP = 3;
/** Weights of a frame's neighbours, in steps of what was looked at, so that landmarks do not tremble. */
const SMOOTH = [0.25, 0.5, 0.25];

/** Where the one face of a video is, frame by frame. */
export class FaceTrack {
  readonly #known: readonly Face[] | undefined;
  readonly #find: FindFaces;
  readonly #seen: { readonly frame: number; readonly face: Face }[] = [];
  #frames = 0;

  /** `known` are the faces as the clip's maker says them; else they are looked for by `find`. */
  constructor(known: readonly Face[] | undefined, find: FindFaces) {
    this.#known = known && known.length > 0 ? known : undefined;
    this.#find = find;
  }

  /** The next frame. */
  async take(picture: Picture): Promise<void> {
    const frame = this.#frames++;
    if (this.#known || frame % STEP !== 0) return;
    const face = nearest(await this.#find(picture), this.#seen.at(-1)?.face);
    if (face) this.#seen.push({ frame, face });
  }

  /** One face for each frame that was taken; throws a `VideoError` when none was found in any. */
  faces(): Face[] {
    const known = this.#known;
    if (known) return Array.from({ length: this.#frames }, (_, i) => known[Math.min(i, known.length - 1)]!);
    if (this.#seen.length === 0) {
      throw new VideoError('No face was found in the video; take one that shows a single face from the front.');
    }
    const seen = smoothed(this.#seen);
    return Array.from({ length: this.#frames }, (_, i) => faceAt(seen, i));
  }
}

type Seen = readonly { readonly frame: number; readonly face: Face }[];

/** Of several faces the one that was followed, or else the largest. */
function nearest(faces: readonly Face[], last: Face | undefined): Face | undefined {
  const [x, y] = last ? middle(last.box) : [0, 0];
  const rank = ({ box }: Face) => {
    const [atX, atY] = middle(box);
    return last ? Math.hypot(atX - x, atY - y) : -box.width * box.height;
  };
  return [...faces].sort((a, b) => rank(a) - rank(b))[0];
}

const middle = ({ x, y, width, height }: Box): [number, number] => [x + width / 2, y + height / 2];

function smoothed(seen: Seen): Seen {
  return seen.map(({ frame, face }, i) => {
    const neighbours = [seen[i - 1]?.face ?? face, face, seen[i + 1]?.face ?? face];
    return { frame, face: mixed(neighbours, SMOOTH) };
  });
}

/** Between two frames that were looked at; before the first and after the last as there. */
function faceAt(seen: Seen, frame: number): Face {
  const after = seen.findIndex((one) => one.frame >= frame);
  const b = after < 0 ? seen.at(-1)! : seen[after]!;
  const a = after > 0 ? seen[after - 1]! : b;
  const share = a === b ? 0 : (frame - a.frame) / (b.frame - a.frame);
  return share === 0 && a === b ? b.face : mixed([a.face, b.face], [1 - share, share]);
}

/** The weighted mean of faces; of contours that differ in their number of points, the first one's is taken. */
function mixed(faces: readonly Face[], weights: readonly number[]): Face {
  const sum = (value: (face: Face) => number) => faces.reduce((total, face, i) => total + value(face) * weights[i]!, 0);
  const contour = (of: (face: Face) => readonly Point[]): Point[] =>
    of(faces[0]!).map((point, i) => ({
      x: sum((face) => (of(face)[i] ?? point).x),
      y: sum((face) => (of(face)[i] ?? point).y),
    }));
  const side = (of: (box: Box) => number) => sum((face) => of(face.box));
  return {
    box: { x: side((b) => b.x), y: side((b) => b.y), width: side((b) => b.width), height: side((b) => b.height) },
    outerLips: contour((face) => face.outerLips),
    innerLips: contour((face) => face.innerLips),
    leftEye: contour((face) => face.leftEye),
    rightEye: contour((face) => face.rightEye),
    jaw: contour((face) => face.jaw),
  };
}
