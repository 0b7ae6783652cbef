import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Box, Face } from '../contracts.ts';

/** Both ends of a lip-sync over the network speak this version, or say that they do not. */
export const LIP_SYNC_VERSION = 1;

/** Where a voice-chat lends its lip-sync. */
export const LIP_SYNC_PATH = '/ws/lip-sync';

/** The most bytes of a picture that one message carries. */
export const PICTURE_PIECE_BYTES = 128 * 1024;

const points = z.array(z.object({ x: z.number(), y: z.number() })).max(200);
const face = z.object({
  box: z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
  outerLips: points,
  innerLips: points,
  leftEye: points,
  rightEye: points,
  jaw: points,
});

const MAX_SIDE = 2048;
const index = z.number().int().min(0).max(10_000);

/** What the end that has the base clip says: the region of its pictures that matters, its faces, its pictures, and the end. */
export const askMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), version: z.number() }),
  z.object({
    type: z.literal('clip'),
    rate: z.number().int().min(8_000).max(48_000),
    width: z.number().int().min(1).max(MAX_SIDE),
    height: z.number().int().min(1).max(MAX_SIDE),
    frames: index.min(1),
  }),
  z.object({ type: z.literal('faces'), from: index, faces: z.array(face).max(100) }),
  z.object({ type: z.literal('picture'), index, hash: z.string().regex(/^[0-9a-f]{64}$/) }),
  z.object({ type: z.literal('end') }),
]);

/** What the end that lends its lip-sync says. */
export const lendMessage = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready'), version: z.number() }),
  z.object({ type: z.literal('need'), index }),
  z.object({ type: z.literal('done'), frames: z.number().int() }),
  z.object({ type: z.literal('error'), message: z.string().max(500) }),
]);

type Parsed = z.infer<typeof askMessage>;
/** A JSON message of the asking end; `askMessage` reads it. */
export type AskMessage =
  | Exclude<Parsed, { type: 'faces' }>
  | { readonly type: 'faces'; readonly from: number; readonly faces: readonly Face[] };
/** A JSON message of the lending end; `lendMessage` reads it. */
export type LendMessage = z.infer<typeof lendMessage>;

/** Reads a JSON message, or gives undefined for what is none that `schema` knows. */
export function parsed<T>(schema: z.ZodType<T>, text: string): T | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

const KIND = { speech: 1, picture: 2, patch: 3 } as const;
const PIECE_HEADER = 12;
const PATCH_HEADER = 16;

/** A piece of the region of base picture `index`, RGB, from byte `offset` on; or speech. */
export type AskBytes =
  | { readonly kind: 'speech'; readonly pcm: DataView }
  | { readonly kind: 'picture'; readonly index: number; readonly offset: number; readonly bytes: Uint8Array };

/** The message for a piece of speech: a header of 12 bytes, then `pcmBytes` bytes of 16-bit PCM to be written from `offset` on. */
export function speechMessage(pcmBytes: number): { message: Uint8Array; view: DataView; offset: number } {
  const message = new Uint8Array(PIECE_HEADER + pcmBytes);
  message[0] = KIND.speech;
  return { message, view: new DataView(message.buffer), offset: PIECE_HEADER };
}

/** The message for a piece of a picture's region: its RGB from byte `offset` on. */
export function pictureMessage(index: number, offset: number, bytes: Uint8Array): Uint8Array {
  const message = new Uint8Array(PIECE_HEADER + bytes.length);
  const view = new DataView(message.buffer);
  message[0] = KIND.picture;
  view.setUint32(4, index, true);
  view.setUint32(8, offset, true);
  message.set(bytes, PIECE_HEADER);
  return message;
}

/** Reads what `speechMessage` or `pictureMessage` made; undefined for anything else. */
export function readAskBytes(message: Uint8Array): AskBytes | undefined {
  if (message.length < PIECE_HEADER) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  if (message[0] === KIND.speech && message.length % 2 === 0) {
    return {
      kind: 'speech',
      pcm: new DataView(message.buffer, message.byteOffset + PIECE_HEADER, message.length - PIECE_HEADER),
    };
  }
  if (message[0] !== KIND.picture) return undefined;
  const [index, offset] = [view.getUint32(4, true), view.getUint32(8, true)];
  return { kind: 'picture', index, offset, bytes: message.subarray(PIECE_HEADER) };
}

/** What changed of frame `frame`: the pixels in `box`, each less what the base picture has there (modulo 256), deflated. */
export type Patch = { readonly frame: number; readonly box: Box; readonly deflated: Uint8Array };

/** The message for what changed of a frame. */
export function patchMessage({ frame, box, deflated }: Patch): Uint8Array {
  const message = new Uint8Array(PATCH_HEADER + deflated.length);
  const view = new DataView(message.buffer);
  message[0] = KIND.patch;
  view.setUint32(4, frame, true);
  for (const [i, value] of [box.x, box.y, box.width, box.height].entries()) view.setUint16(8 + 2 * i, value, true);
  message.set(deflated, PATCH_HEADER);
  return message;
}

/** Reads what `patchMessage` made; undefined for anything else. */
export function readPatch(message: Uint8Array): Patch | undefined {
  if (message.length < PATCH_HEADER || message[0] !== KIND.patch) return undefined;
  const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
  const [x, y, width, height] = [0, 1, 2, 3].map((i) => view.getUint16(8 + 2 * i, true)) as [
    number,
    number,
    number,
    number,
  ];
  return { frame: view.getUint32(4, true), box: { x, y, width, height }, deflated: message.subarray(PATCH_HEADER) };
}

/** By which a picture is known at both ends. */
export const pictureHash = (rgb: Uint8Array): string => createHash('sha256').update(rgb).digest('hex');

/** What is wrong when two ends do not understand each other. */
export const otherVersion = (asking: number, lending: number): string =>
  `This voice-chat asks for lip-sync in version ${asking}, and the one that lends it speaks ${lending}; install the same version on both.`;
