import type { Face, Picture, Point } from '../../../src/server/video/contracts.ts';

const SIZE = 256;
const SKIN = [214, 170, 146];
const LIP = [178, 88, 88];

/**
 * A plain face that is drawn: 256 pixels wide, turned by `tilt` radians; its lips meet in a dark line, or are apart by up to
 * `gap` pixels.
 */
export function drawnFace(tilt = 0, gap = 0): { picture: Picture; face: Face } {
  const rgb = new Uint8Array(SIZE * SIZE * 3);
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) rgb.set(colourAt(turned({ x, y }, -tilt), gap / 2), (y * SIZE + x) * 3);
  }
  const contour = (points: readonly Point[]) => points.map((point) => turned(point, tilt));
  const face: Face = {
    box: { x: 70, y: 60, width: 116, height: 140 },
    outerLips: contour(arcs(128, 164, 26, 8 + gap / 2, 9 + gap / 2)),
    innerLips: contour(arcs(128, 164, 24, gap / 2, gap / 2)),
    leftEye: contour(arcs(104, 112, 12, 6, 6)),
    rightEye: contour(arcs(152, 112, 12, 6, 6)),
    jaw: contour(arcs(128, 130, 58, 0, 70).slice(10).reverse()),
  };
  return { picture: { width: SIZE, height: SIZE, rgb }, face };
}

/** Mean of the colours' brightness in a rectangle, 0 to 255. */
export function lightIn({ width, rgb }: Picture, x0: number, y0: number, x1: number, y1: number): number {
  let sum = 0;
  for (let y = y0; y < y1; y++) for (let i = (y * width + x0) * 3; i < (y * width + x1) * 3; i++) sum += rgb[i]!;
  return sum / (3 * (x1 - x0) * (y1 - y0));
}

/** A copy that can be drawn into. */
export const copied = ({ width, height, rgb }: Picture): Picture => ({ width, height, rgb: Uint8Array.from(rgb) });

function colourAt({ x, y }: Point, apart: number): number[] {
  const inside = (cx: number, cy: number, rx: number, ry: number) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1;
  if (Math.abs(x - 128) < 24 && Math.abs(y - 164) < 1 && apart === 0) return [70, 30, 30];
  if (apart > 0 && inside(128, 164, 24, apart)) return [30, 16, 16];
  if (inside(128, 164, 26, apart + (y < 164 ? 8 : 9))) return LIP;
  for (const eye of [104, 152]) {
    if (inside(eye, 112, 5, 5)) return [30, 24, 20];
    if (inside(eye, 112, 12, 6)) return [245, 245, 245];
  }
  if (inside(128, 130, 58, 70)) return SKIN;
  return y > 190 && Math.abs(x - 128) < 60 + (y - 190) ? [60, 90, 130] : [200, 214, 220];
}

/** The contour of two half ellipses upon each other, from the left over the top. */
function arcs(x: number, y: number, rx: number, above: number, below: number): Point[] {
  return Array.from({ length: 20 }, (_, i) => {
    const angle = Math.PI - (2 * Math.PI * i) / 20;
    const height = Math.sin(angle);
    return { x: x + rx * Math.cos(angle), y: y - height * (height > 0 ? above : below) };
  });
}

function turned({ x, y }: Point, angle: number): Point {
  const [dx, dy] = [x - SIZE / 2, y - SIZE / 2];
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  return { x: SIZE / 2 + dx * cos - dy * sin, y: SIZE / 2 + dx * sin + dy * cos };
}
