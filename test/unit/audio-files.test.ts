import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readAudioFile } from '../../src/bench/audio-files.ts';
import { decodeFlac } from '../../src/bench/flac.ts';
import { resample } from '../../src/bench/resample.ts';
import { decodeWav } from '../../src/bench/wav.ts';
import { readWav, writeWav } from '../fixtures/wav.ts';

const FLAC = resolve('../shared/data/speech/librispeech-test-other');
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-chat-audio-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const tone = (rate: number, hertz: number) =>
  Float32Array.from({ length: rate }, (_, i) => 0.5 * Math.sin((2 * Math.PI * hertz * i) / rate));
const loudness = (samples: Float32Array) => Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);

describe('WAV', () => {
  it('comes back as it was written', () => {
    const sound = { rate: 22_050, samples: tone(22_050, 440) };
    writeWav(join(folder, 'tone.wav'), sound);
    const back = readWav(join(folder, 'tone.wav'));
    expect(back.rate).toBe(22_050);
    expect(back.samples).toHaveLength(22_050);
    for (const [i, sample] of back.samples.entries()) expect(Math.abs(sample - sound.samples[i]!)).toBeLessThan(1e-4);
  });

  it('is read at the rate of the microphone', () => {
    writeWav(join(folder, 'high.wav'), { rate: 48_000, samples: tone(48_000, 1_000) });
    const samples = readAudioFile(join(folder, 'high.wav'));
    expect(samples).toHaveLength(16_000);
    expect(loudness(samples)).toBeCloseTo(0.5 / Math.SQRT2, 2);
  });

  it('is refused when it is none', () => {
    expect(() => decodeWav(new Uint8Array(100))).toThrow('Not a WAV file');
  });
});

it('takes out what the lower rate cannot carry', () => {
  const { samples } = resample({ rate: 48_000, samples: tone(48_000, 10_000) }, 16_000);
  expect(loudness(samples)).toBeLessThan(0.002);
});

it('reads raw 16-bit samples', () => {
  writeFileSync(join(folder, 'two.raw'), Int16Array.of(16_384, -32_768));
  expect([...readAudioFile(join(folder, 'two.raw'))]).toEqual([0.5, -1]);
});

describe('FLAC', () => {
  it.runIf(existsSync(FLAC))('is read to the bit, by the checksum in the file (needs ../shared/data)', () => {
    const files = readdirSync(FLAC).filter((name) => name.endsWith('.flac'));
    for (const name of files.slice(0, 8)) {
      const bytes = readFileSync(join(FLAC, name));
      const pcm = Int16Array.from(decodeFlac(bytes).samples, (sample) => sample * 32_768);
      // STREAMINFO ends with the MD5 of the samples.
      expect(createHash('md5').update(pcm).digest('hex')).toBe(bytes.subarray(26, 42).toString('hex'));
    }
  });

  it('is refused when it is none', () => {
    expect(() => decodeFlac(new Uint8Array(100))).toThrow('Not a FLAC file');
  });
});
