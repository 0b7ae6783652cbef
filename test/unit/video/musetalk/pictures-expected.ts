import { readFileSync } from 'node:fs';
import { inflateSync } from 'node:zlib';
import { expect } from 'vitest';
import type { Box } from '../../../../src/server/video/contracts.ts';
import type { MaskMode } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';

type Size = readonly [width: number, height: number];
type Four = readonly [number, number, number, number];

/** What was asked of OpenCV and Pillow, for each kind of case. */
export type Asked = {
  readonly lanczos: { readonly size: Size; readonly box: Box; readonly to: Size };
  readonly linear: { readonly size: Size; readonly to: Size };
  readonly bilinear: { readonly size: Size; readonly to: Size };
  readonly bicubic: { readonly size: Size; readonly to: Size };
  readonly blur: { readonly size: Size; readonly kernel: number };
  readonly grow: { readonly size: Size; readonly shape: string };
  readonly shrink: { readonly size: Size; readonly shape: string };
  readonly mask: { readonly face: Box; readonly crop: Box; readonly seen: Four; readonly mode: MaskMode };
  readonly parser: { readonly size: Size; readonly face: Box };
  readonly paste: { readonly size: Size; readonly face: Box; readonly seen: Four; readonly mode: MaskMode };
};

const bytes = inflateSync(readFileSync(new URL('../../../fixtures/musetalk/pictures/expected.bin', import.meta.url)));
const outputs = bytes.indexOf('\n') + 1;
const cases = JSON.parse(bytes.toString('utf8', 0, outputs)) as { kind: string; at: number; length: number }[];

/** The cases of one kind, with what came out: a name for the test, what was asked, and the bytes. */
export function expected<Kind extends keyof Asked>(kind: Kind): [string, Asked[Kind], Uint8Array][] {
  const found = cases.filter((one) => one.kind === kind);
  expect(found).not.toHaveLength(0);
  return found.map(({ kind: _, at, length, ...asked }) => [
    JSON.stringify(asked),
    asked as unknown as Asked[Kind],
    Uint8Array.from(bytes.subarray(outputs + at, outputs + at + length)),
  ]);
}

/** How far bytes are apart at most, and in how many places they differ at all. */
export function apart(some: Uint8Array, others: Uint8Array): { most: number; places: number } {
  expect(some.length).toBe(others.length);
  let [most, places] = [0, 0];
  for (const [i, value] of some.entries()) {
    const distance = Math.abs(value - others[i]!);
    most = Math.max(most, distance);
    if (distance > 0) places++;
  }
  return { most, places };
}
