import type { BaseClip, Face, Picture, Point } from '../server/video/contracts.ts';

const SIZE = 256;
const FACE = { x: 128, y: 120, across: 64, down: 84 };
const MOUTH = { x: 128, y: 160, across: 26, lips: 9 };

/** A blue face with a closed mouth: whatever else is seen in it is the inside of a mouth. */
export function blueFace(): BaseClip {
  const face = outline();
  const picture = paint();
  return {
    width: SIZE,
    height: SIZE,
    frames: 1,
    picture: async () => ({ ...picture, rgb: picture.rgb.slice() }),
    face: () => face,
  };
}

/** How far the mouth of a `blueFace` is open: pixels, on the average of its middle columns. */
export function drawnOpening({ width, height, rgb }: Picture): number {
  const columns = [-3, -2, -1, 0, 1, 2, 3].map((aside) => MOUTH.x + aside);
  let inside = 0;
  for (let y = 0; y < height; y++) {
    for (const x of columns) {
      const at = 3 * (y * width + x);
      if (rgb[at + 2]! < 2 * rgb[at]!) inside++;
    }
  }
  return inside / columns.length;
}

function paint(): Picture {
  const rgb = new Uint8Array(3 * SIZE * SIZE);
  const within = (x: number, y: number, across: number, down: number) => (x / across) ** 2 + (y / down) ** 2 < 1;
  for (let y = 0; y < SIZE; y++) {
    for (let x = 0; x < SIZE; x++) {
      const lips = within(x - MOUTH.x, y - MOUTH.y, MOUTH.across, MOUTH.lips);
      const skin = within(x - FACE.x, y - FACE.y, FACE.across, FACE.down);
      rgb.set(lips ? [40, 40, 160] : skin ? [50, 60, 220] : [20, 20, 90], 3 * (y * SIZE + x));
    }
  }
  return { width: SIZE, height: SIZE, rgb };
}

function outline(): Face {
  const eye = (x: number) => ring(x, FACE.y - 20, 11, 4, 16);
  return {
    box: { x: FACE.x - FACE.across, y: FACE.y - FACE.down, width: 2 * FACE.across, height: 2 * FACE.down },
    outerLips: ring(MOUTH.x, MOUTH.y, MOUTH.across, MOUTH.lips, 20),
    innerLips: ring(MOUTH.x, MOUTH.y, MOUTH.across - 5, 0, 20),
    leftEye: eye(FACE.x - 28),
    rightEye: eye(FACE.x + 28),
    jaw: ring(FACE.x, FACE.y, FACE.across, -FACE.down, 40).slice(0, 21),
  };
}

/** Points of an ellipse, from its leftmost over its top; over its bottom where `down` is negative. */
function ring(x: number, y: number, across: number, down: number, points: number): Point[] {
  return Array.from({ length: points }, (_, i) => {
    const angle = (2 * Math.PI * i) / points;
    return { x: x - across * Math.cos(angle), y: y - down * Math.sin(angle) };
  });
}
