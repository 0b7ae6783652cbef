import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { MEL_BANDS, MEL_COLUMNS } from '../../../../src/server/video/lip-sync/musetalk/networks.ts';
import { LogMel, SEGMENT_SAMPLES } from '../../../../src/server/video/lip-sync/musetalk/speech/log-mel.ts';

type Sound = { samples: number; level: number; hiss: number; columns: number[] };
const folder = new URL('../../../fixtures/musetalk/log-mel/', import.meta.url);
const sounds = JSON.parse(readFileSync(new URL('sounds.json', folder), 'utf8')) as Record<string, Sound>;

/** The sounds of log_mel.py, by the same formula. */
function voice({ samples, level, hiss }: Sound): Float32Array {
  let state = 1;
  return Float32Array.from({ length: samples }, (_, i) => {
    const t = i / 16_000;
    const turns = 110 * t + 9 * Math.sin(2 * Math.PI * 0.7 * t);
    let sound = 0;
    for (let h = 1; h <= 12; h++) {
      sound += (Math.sin(2 * Math.PI * h * turns) * (1 + 0.8 * Math.sin(h * (1 + 3 * t)))) / h;
    }
    state = (1_664_525 * state + 1_013_904_223) % 2 ** 32;
    return level * Math.max(0, Math.sin(3 * Math.PI * t)) ** 2 * sound + hiss * (state / 2 ** 31 - 1);
  });
}

function melOf(samples: Float32Array, chunk = samples.length): Float32Array {
  const mel = new LogMel();
  for (let at = 0; at < samples.length; at += chunk) mel.write(samples.subarray(at, at + chunk));
  return mel.mel();
}

/** Whether all numbers are the same; `toEqual` is slow with as many. */
const same = (a: Float32Array, b: Float32Array) => Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;

describe('the log-mel', () => {
  it.each(Object.entries(sounds))('of %s is as whisper wants it, to 1e-4', (name, sound) => {
    const bytes = readFileSync(new URL(`${name}.f32`, folder));
    const expected = new Float32Array(new Uint8Array(bytes).buffer);
    expect(expected.length).toBe(sound.columns.length * MEL_BANDS);
    const mel = melOf(voice(sound));
    let worst = 0;
    for (const [i, column] of sound.columns.entries()) {
      for (let band = 0; band < MEL_BANDS; band++) {
        const apart = Math.abs(mel[band * MEL_COLUMNS + column]! - expected[i * MEL_BANDS + band]!);
        worst = Math.max(worst, apart);
      }
    }
    expect(worst).toBeLessThan(1e-4);
  });

  it('is the same however the sound is cut, and however often it is looked at', () => {
    const samples = voice({ ...sounds.voice!, samples: 5_000 });
    const whole = melOf(samples);
    expect(same(melOf(samples, 1), whole)).toBe(true);
    const mel = new LogMel();
    for (let at = 0; at < samples.length; at += 777) {
      mel.write(samples.subarray(at, at + 777));
      mel.mel();
    }
    expect(same(mel.mel(), whole)).toBe(true);
  });

  it('of the sound so far is that of the sound and silence', () => {
    const samples = voice(sounds.voice!);
    const padded = new Float32Array(SEGMENT_SAMPLES);
    padded.set(samples);
    const mel = melOf(padded);
    expect(same(melOf(samples), mel)).toBe(true);
    expect(same(melOf(samples.subarray(0, 20_000)), mel)).toBe(false);
  });

  it('takes one segment, and says how much of it', () => {
    const mel = new LogMel();
    expect(mel.write(new Float32Array(SEGMENT_SAMPLES - 10))).toBe(SEGMENT_SAMPLES - 10);
    expect(mel.write(new Float32Array(25))).toBe(10);
    expect(mel.write(new Float32Array(25))).toBe(0);
    expect(mel.length).toBe(SEGMENT_SAMPLES);
  });

  it('takes what is no number for silence', () => {
    const wild = Float32Array.from({ length: 2_000 }, (_, i) => (i % 3 ? 0 : Number.NaN));
    expect(same(melOf(wild), melOf(new Float32Array(2_000)))).toBe(true);
  });
});
