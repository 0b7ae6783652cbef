import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compareWithReference } from '../server/video/lip-sync/musetalk/convert/compare-reference.ts';
import type { Row, Say } from './row.ts';

/** The most that a number may lie from the reference's in 32 bits, and a level of a painted face. */
const NUMBERS = 1e-4;
const LEVELS = 1;

/**
 * How far MuseTalk's graphs lie from diffusers, transformers and PyTorch on the stored small networks, at most: numbers of the
 * graphs that listen, look and parse, and levels of 255 of painted faces in 32 and in 16 bits.
 */
export async function musetalkParity(say: Say): Promise<Row[]> {
  const folder = await mkdtemp(join(tmpdir(), 'voice-chat-musetalk-'));
  try {
    const { reference } = await compareWithReference(folder, new AbortController().signal);
    for (const [output, off] of Object.entries(reference)) say(`${output}: off by ${off.toPrecision(2)} at most`);
    const { states, latents, logits } = reference;
    const faces = Math.max(reference['faces-f32'], reference['faces-f16']);
    return [
      row('musetalk-parity', '10^-4', Math.max(states, latents, logits) / NUMBERS, 1),
      row('musetalk-parity-faces', 'levels', faces, LEVELS),
    ];
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const row = (id: string, unit: string, value: number, most: number): Row => ({
  id,
  unit,
  n: 1,
  value: Math.round(1_000 * value) / 1_000,
  bar: `<= ${most}`,
  ok: value <= most,
});
