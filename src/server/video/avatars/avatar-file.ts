import { z } from 'zod';
import type { Box, Face, Point } from '../contracts.ts';

const point: z.ZodType<Point> = z.object({ x: z.number(), y: z.number() });
const box: z.ZodType<Box> = z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() });
const contour = z.array(point).min(4);
const face: z.ZodType<Face> = z.object({
  box,
  outerLips: contour,
  innerLips: contour,
  leftEye: contour,
  rightEye: contour,
  jaw: contour,
});
const avatarFile = z.object({ name: z.string(), addedMs: z.number(), face });

/** What `avatar.json` says of the picture beside it. */
export type AvatarFile = z.infer<typeof avatarFile>;

/** Reads the text of an `avatar.json`; undefined when it is none. */
export function parseAvatarFile(text: string): AvatarFile | undefined {
  try {
    return avatarFile.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
