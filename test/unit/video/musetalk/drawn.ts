import type { Picture } from '../../../../src/server/video/contracts.ts';

/** A picture of slopes, edges and grain. What test/fixtures/musetalk/pictures.py draws is the same, here as in all of these. */
export function drawn(width: number, height: number): Picture {
  const rgb = new Uint8Array(3 * width * height);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++) rgb[i++] = 5 * x + 3 * y + 70 * c + ((x * x + 3 * y * y + (c + 1) * x * y) % 61);
    }
  }
  return { width, height, rgb };
}

/** A mask of 0 and 255: a disc with holes, and specks around it. */
export function blot(width: number, height: number): Uint8Array {
  return plane(width, height, (x, y) => {
    const disc = 16 * (2 * x - width) ** 2 + 16 * (2 * y - height) ** 2 < 9 * Math.min(width, height) ** 2;
    const speck = (x * x * 7 + 13 * x * y + 3 * y * y + x) % 97 === 0;
    return disc !== speck ? 255 : 0;
  });
}

/** What a face parser might see (512 x 512): skin, brows, nose, mouth, neck, and specks of background in all of them. */
export function classes(middleX: number, middleY: number, halfWidth: number, halfHeight: number): Uint8Array {
  const oval = (down: number, across: number, along: number) => {
    const a = Math.floor((halfWidth * across) / 100) ** 2;
    const b = Math.floor((halfHeight * along) / 100) ** 2;
    const cy = middleY + Math.floor((halfHeight * down) / 100);
    return (x: number, y: number) => (x - middleX) ** 2 * b + (y - cy) ** 2 * a <= a * b;
  };
  const neck = Math.floor((halfWidth * 3) / 5);
  const parts: [number, (x: number, y: number) => boolean][] = [
    [14, (x, y) => Math.abs(x - middleX) < neck && y > middleY],
    [1, oval(0, 100, 100)],
    [2, oval(-40, 60, 5)],
    [10, oval(10, 22, 30)],
    [12, oval(52, 40, 9)],
    [13, oval(60, 36, 9)],
    [11, oval(56, 30, 5)],
    [0, (x, y) => (x * x * 7 + 13 * x * y + 3 * y * y + x) % 997 === 0],
  ];
  return plane(512, 512, (x, y) => parts.findLast(([, covers]) => covers(x, y))?.[0] ?? 0);
}

function plane(width: number, height: number, value: (x: number, y: number) => number): Uint8Array {
  return Uint8Array.from({ length: width * height }, (_, i) => value(i % width, Math.floor(i / width)));
}
