import { describe, expect, it } from 'vitest';
import type { Probe } from '../../../src/server/machine/machine.ts';
import { machineChecks } from '../../../src/server/machine/machine-checks.ts';
import { MACHINES, recorded } from '../../fixtures/probes.ts';

const checkOf = (probe: Probe, name: string) => machineChecks(probe).find((check) => check.name === name)!;
const changed = (part: string, change: Partial<Probe>): Probe => ({ ...recorded(part).probe, ...change });

describe('the checks of a machine', () => {
  it('find nothing wrong with a good one, and nothing fatal with any of the ten', () => {
    expect(machineChecks(recorded('4090').probe).filter(({ result }) => result !== 'pass')).toEqual([]);
    for (const { probe } of MACHINES) {
      expect(machineChecks(probe).filter(({ result }) => result === 'fail')).toEqual([]);
    }
  });

  it('say what to do about all that is not fine', () => {
    for (const { probe } of MACHINES) {
      for (const { result, fix } of machineChecks(probe)) expect(result === 'pass' || Boolean(fix)).toBe(true);
    }
  });

  it('name the card, its memory, its driver and what it is used through', () => {
    const { found } = checkOf(recorded('5090').probe, 'card');
    expect(found).toContain('NVIDIA GeForce RTX 5090, SM120, 30.8 GiB of 31.8 GiB free');
    expect(found).toContain('driver 590.44.01, CUDA 13.1; used through cuda');
  });

  it('say which driver an RTX 50 needs', () => {
    const check = checkOf(changed('5090', { cuda: { driver: '12.4', runtimes: [12] } }), 'card');
    expect(check.result).toBe('warn');
    expect(check.fix).toContain('SM120 needs a driver with CUDA 12.8 (570 or newer)');
  });

  it('say what a driver in trouble needs', () => {
    const gpuProblem = 'The NVIDIA driver was updated while it runs; restart the machine.';
    expect(checkOf(changed('4090', { gpus: [], gpuProblem }), 'card')).toMatchObject({
      result: 'warn',
      found: gpuProblem,
    });
  });

  it('warn of a processor without AVX2, of one core, of little memory and of little disk', () => {
    expect(checkOf(recorded('no-avx').probe, 'processor')).toMatchObject({ result: 'warn' });
    const { cpu } = recorded('no-card').probe;
    expect(checkOf(changed('no-card', { cpu: { ...cpu, cores: 1 } }), 'processor').result).toBe('warn');
    const memory = { totalBytes: 2 * 2 ** 30, availableBytes: 2 ** 30 };
    expect(checkOf(changed('no-card', { memory }), 'memory').result).toBe('warn');
    expect(checkOf(changed('no-card', { disk: { folder: '/m', freeBytes: 2 ** 30 } }), 'models folder').result).toBe(
      'warn',
    );
  });

  it('never praise a software Vulkan device', () => {
    const vulkan = { loader: true, drivers: ['lvp_icd.x86_64'] };
    expect(checkOf(changed('4090', { vulkan }), 'vulkan')).toMatchObject({ result: 'warn' });
    expect(checkOf(recorded('no-card').probe, 'vulkan').found).toContain('never used');
  });

  it('refuse a Node that is too old', () => {
    expect(checkOf(changed('no-card', { node: '20.18.1' }), 'node').result).toBe('fail');
    expect(checkOf(changed('no-card', { node: '24.1.0' }), 'node').result).toBe('pass');
  });
});
