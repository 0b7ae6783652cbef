import type { Box } from '../../../contracts.ts';

const AROUND = 1.5;

/**
 * The square that the face parser looks at, half as large again as the longer side of the face's box around its middle; it may
 * reach outside the picture. Rounded as MuseTalk does it.
 */
export function cropAround({ x, y, width, height }: Box): Box {
  const half = Math.max(1, Math.trunc(Math.floor(Math.max(width, height) / 2) * AROUND));
  const [middleX, middleY] = [Math.floor((2 * x + width) / 2), Math.floor((2 * y + height) / 2)];
  return { x: middleX - half, y: middleY - half, width: 2 * half, height: 2 * half };
}
