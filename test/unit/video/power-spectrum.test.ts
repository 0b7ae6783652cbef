import { describe, expect, it } from 'vitest';
import { PowerSpectrum } from '../../../src/server/video/lip-sync/power-spectrum.ts';

describe('the power spectrum', () => {
  it.each([2, 12, 30, 64, 400, 512])('of %i samples is what the definition says', (size) => {
    const samples = Float64Array.from({ length: size }, (_, i) => Math.sin(i * i) + 0.1 * i);
    const power = new Float64Array(size / 2 + 1);
    new PowerSpectrum(size).transform(samples, power);
    for (let k = 0; k <= size / 2; k++) {
      let [re, im] = [0, 0];
      for (const [i, sample] of samples.entries()) {
        re += sample * Math.cos((2 * Math.PI * i * k) / size);
        im += sample * Math.sin((2 * Math.PI * i * k) / size);
      }
      expect(Math.abs(power[k]! - re * re - im * im)).toBeLessThan(1e-9 * (1 + power[k]!));
    }
  });
});
