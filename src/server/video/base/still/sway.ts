import type { Face, Picture, Point } from '../../contracts.ts';
import { ease } from '../../lip-sync/mouth/curves.ts';
import type { Pose } from './motion.ts';

/** Pixels between the places at which movement is worked out; between them it runs straight. */
const CELL = 8;

/** Width of the face that poses are made for. */
const POSE_FACE = 185;

/** Moves the head and shoulders of one picture, while its ground and its borders stay. */
export class Sway {
  readonly #width: number;
  readonly #height: number;
  readonly #columns: number;
  readonly #rows: number;
  readonly #scale: number;
  /** For each place of the grid: what of the head, of the face's middle and of the shoulders moves there. */
  readonly #head: Float32Array;
  readonly #middle: Float32Array;
  readonly #body: Float32Array;
  readonly #pivot: Point;
  /** How far each place of the grid has moved in the pose that was taken. */
  readonly #dx: Float32Array;
  readonly #dy: Float32Array;

  constructor({ width, height }: Picture, face: Face) {
    this.#width = width;
    this.#height = height;
    this.#columns = Math.ceil(width / CELL) + 1;
    this.#rows = Math.ceil(height / CELL) + 1;
    const places = this.#columns * this.#rows;
    [this.#head, this.#middle, this.#body] = [
      new Float32Array(places),
      new Float32Array(places),
      new Float32Array(places),
    ];
    [this.#dx, this.#dy] = [new Float32Array(places), new Float32Array(places)];
    const { centre, chin, wide } = measured(face);
    this.#scale = wide / POSE_FACE;
    this.#pivot = { x: centre, y: chin + 0.4 * wide };
    for (let row = 0, at = 0; row < this.#rows; row++) {
      for (let column = 0; column < this.#columns; column++, at++) {
        const [x, y] = [column * CELL - centre, row * CELL - chin];
        const fromHead = Math.hypot(x / (0.62 * wide), (y + 0.72 * wide) / (0.85 * wide));
        this.#head[at] = 1 - ease((fromHead - 0.95) / 0.85);
        const fromMiddle = Math.hypot(x / (0.6 * wide), (y + 0.58 * wide) / (0.8 * wide));
        this.#middle[at] = Math.max(0, 1 - fromMiddle ** 2) ** 2;
        const shoulders = ease((y - 0.05 * wide) / (0.6 * wide)) * (1 - ease((Math.abs(x) / wide - 1) / 1));
        this.#body[at] = shoulders;
      }
    }
  }

  /** Takes up a pose. */
  take(pose: Pose): void {
    const scale = this.#scale;
    const rise = -2 * pose.breath * scale;
    const [cos, sin] = [Math.cos(pose.roll) - 1, Math.sin(pose.roll)];
    for (let row = 0, at = 0; row < this.#rows; row++) {
      const y = row * CELL - this.#pivot.y;
      const inHeight = roomAt(row * CELL, this.#height);
      for (let column = 0; column < this.#columns; column++, at++) {
        const x = column * CELL - this.#pivot.x;
        const head = this.#head[at]!;
        const middle = this.#middle[at]! * scale;
        const dx = head * (pose.x * scale + x * cos - y * sin) + middle * pose.yaw;
        const dy = head * (pose.y * scale + x * sin + y * cos + 0.6 * rise) + middle * pose.pitch;
        this.#dx[at] = dx * roomAt(column * CELL, this.#width);
        this.#dy[at] = (dy + (1 - head) * this.#body[at]! * rise) * inHeight;
      }
    }
  }

  /** Draws `from` in the pose that was taken. */
  draw(from: Uint8Array, to: Uint8Array): void {
    to.set(from);
    for (let row = 0; row + 1 < this.#rows; row++) {
      for (let column = 0; column + 1 < this.#columns; column++) this.#drawCell(from, to, column, row);
    }
  }

  #drawCell(from: Uint8Array, to: Uint8Array, column: number, row: number): void {
    const [dx, dy, columns] = [this.#dx, this.#dy, this.#columns];
    const at = row * columns + column;
    const below = at + columns;
    const most =
      Math.max(Math.abs(dx[at]!), Math.abs(dx[at + 1]!), Math.abs(dx[below]!), Math.abs(dx[below + 1]!)) +
      Math.max(Math.abs(dy[at]!), Math.abs(dy[at + 1]!), Math.abs(dy[below]!), Math.abs(dy[below + 1]!));
    if (most < 0.01) return;
    const width = this.#width;
    const [right, bottom] = [width - 1.001, this.#height - 1.001];
    const x0 = column * CELL;
    const y0 = row * CELL;
    const x1 = Math.min(width, x0 + CELL);
    const y1 = Math.min(this.#height, y0 + CELL);
    for (let y = y0; y < y1; y++) {
      const share = (y - y0) / CELL;
      let moveX = dx[at]! + share * (dx[below]! - dx[at]!);
      let moveY = dy[at]! + share * (dy[below]! - dy[at]!);
      const stepX = (dx[at + 1]! + share * (dx[below + 1]! - dx[at + 1]!) - moveX) / CELL;
      const stepY = (dy[at + 1]! + share * (dy[below + 1]! - dy[at + 1]!) - moveY) / CELL;
      let out = (y * width + x0) * 3;
      for (let x = x0; x < x1; x++) {
        let px = x - moveX;
        let py = y - moveY;
        px = px < 0 ? 0 : px > right ? right : px;
        py = py < 0 ? 0 : py > bottom ? bottom : py;
        const left = px | 0;
        const top = py | 0;
        // Shares in 256ths keep the sums in whole numbers, which is much faster.
        const fx = ((px - left) * 256 + 0.5) | 0;
        const fy = ((py - top) * 256 + 0.5) | 0;
        const a = (256 - fx) * (256 - fy);
        const b = fx * (256 - fy);
        const c = (256 - fx) * fy;
        const d = fx * fy;
        const i = (top * width + left) * 3;
        const j = i + width * 3;
        to[out] = (a * from[i]! + b * from[i + 3]! + c * from[j]! + d * from[j + 3]! + 32768) >> 16;
        to[out + 1] = (a * from[i + 1]! + b * from[i + 4]! + c * from[j + 1]! + d * from[j + 4]! + 32768) >> 16;
        to[out + 2] = (a * from[i + 2]! + b * from[i + 5]! + c * from[j + 2]! + d * from[j + 5]! + 32768) >> 16;
        out += 3;
        moveX += stepX;
        moveY += stepY;
      }
    }
  }

  /** Where a point of the picture is in the pose that was taken. */
  moved(point: Point): Point {
    let [x, y] = [point.x, point.y];
    // The grid says where a place of the result came from; this is the way back.
    for (let i = 0; i < 4; i++) [x, y] = [point.x + this.#at(this.#dx, x, y), point.y + this.#at(this.#dy, x, y)];
    return { x, y };
  }

  #at(grid: Float32Array, x: number, y: number): number {
    const column = Math.min(this.#columns - 2, Math.max(0, Math.floor(x / CELL)));
    const row = Math.min(this.#rows - 2, Math.max(0, Math.floor(y / CELL)));
    const [fx, fy] = [x / CELL - column, y / CELL - row];
    const at = row * this.#columns + column;
    const above = grid[at]! + fx * (grid[at + 1]! - grid[at]!);
    const below = grid[at + this.#columns]! + fx * (grid[at + this.#columns + 1]! - grid[at + this.#columns]!);
    return above + fy * (below - above);
  }
}

/** Near a border nothing may move across it: 0 there, 1 from a twelfth of the picture on. */
function roomAt(place: number, size: number): number {
  return ease(Math.min(place, size - 1 - place) / (size / 12));
}

function measured({ box, jaw }: Face): { centre: number; chin: number; wide: number } {
  if (jaw.length < 3) return { centre: box.x + box.width / 2, chin: box.y + box.height, wide: 0.8 * box.width };
  const xs = jaw.map(({ x }) => x);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  return { centre: (left + right) / 2, chin: Math.max(...jaw.map(({ y }) => y)), wide: right - left };
}
