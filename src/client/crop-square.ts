/** A square in a picture, in the picture's pixels. */
export type Square = { readonly x: number; readonly y: number; readonly size: number };

/** A picture's width and height, in pixels. */
export type Extent = { readonly width: number; readonly height: number };

/** A rectangle around a face that was found, in the picture's pixels. */
export type FaceBox = { readonly x: number; readonly y: number; readonly width: number; readonly height: number };

/** No part of a picture smaller than this is worth being an avatar. */
const LEAST = 64;
/** How much larger than the face its square is: hair, neck and shoulders belong to it. */
const AROUND = 2.2;
/** A face sits a little above the middle. */
const ABOVE = 0.06;

/** The nearest square that lies in the picture. */
export function fitted({ x, y, size }: Square, { width, height }: Extent): Square {
  const most = Math.min(width, height);
  const fits = Math.min(most, Math.max(Math.min(LEAST, most), size));
  return { x: within(x, width - fits), y: within(y, height - fits), size: fits };
}

/** The largest square in the middle, to begin with where no face is known. */
export function middleSquare(picture: Extent): Square {
  const size = Math.min(picture.width, picture.height);
  return { x: (picture.width - size) / 2, y: (picture.height - size) / 2, size };
}

/** A square for a portrait of this face. */
export function squareAround(face: FaceBox, picture: Extent): Square {
  const size = Math.max(face.width, face.height) * AROUND;
  const x = face.x + face.width / 2 - size / 2;
  const y = face.y + face.height / 2 - size * (0.5 - ABOVE);
  return fitted({ x, y, size }, picture);
}

/** Moved by a share of the picture's longer side. */
export function moved(square: Square, right: number, down: number, picture: Extent): Square {
  const step = Math.max(picture.width, picture.height);
  return fitted({ ...square, x: square.x + right * step, y: square.y + down * step }, picture);
}

/** Larger or smaller by a factor, around its middle. */
export function scaled(square: Square, by: number, picture: Extent): Square {
  const size = fitted({ ...square, size: square.size * by }, picture).size;
  const off = (square.size - size) / 2;
  return fitted({ x: square.x + off, y: square.y + off, size }, picture);
}

/** As the server wants it: shares of width, height and width. */
export function cropQuery({ x, y, size }: Square, { width, height }: Extent): string {
  return [x / width, y / height, size / width].map((share) => share.toFixed(5)).join(',');
}

function within(value: number, most: number): number {
  return Math.min(Math.max(0, value), Math.max(0, most));
}
