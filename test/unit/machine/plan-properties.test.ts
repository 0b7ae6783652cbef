import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Probe } from '../../../src/server/machine/machine.ts';
import { PLAN_STAGES } from '../../../src/server/machine/plan-request.ts';
import { MODELS } from '../../../src/server/models/manifest.ts';
import { LANGUAGES } from '../../../src/server/models/model-entry.ts';
import { MACHINES, planFor, type RecordedMachine } from '../../fixtures/probes.ts';

const GIB = 2 ** 30;
const withProbe = (machine: RecordedMachine, change: Partial<Probe>): RecordedMachine => ({
  ...machine,
  probe: { ...machine.probe, ...change },
});

type Amounts = { base: RecordedMachine; cores: number; ramGib: number; vramGib: number; diskGib: number };

/** Any of the ten with other amounts of everything. */
const anyMachine: fc.Arbitrary<Amounts> = fc.record({
  base: fc.constantFrom(...MACHINES),
  cores: fc.integer({ min: 1, max: 64 }),
  ramGib: fc.double({ min: 0.5, max: 256, noNaN: true }),
  vramGib: fc.double({ min: 0.2, max: 96, noNaN: true }),
  diskGib: fc.double({ min: 0, max: 500, noNaN: true }),
});
const machineOf = ({ base, cores, ramGib, vramGib, diskGib }: Amounts) =>
  withProbe(base, {
    cpu: { ...base.probe.cpu, cores },
    memory: { totalBytes: ramGib * GIB, availableBytes: ramGib * GIB },
    gpus: base.probe.gpus.map((gpu) => {
      const bytes = (gpu.maker === 'apple' ? ramGib : vramGib) * GIB;
      return { ...gpu, totalBytes: gpu.maker === 'apple' ? bytes : gpu.totalBytes, freeBytes: bytes };
    }),
    disk: { folder: '/models', freeBytes: diskGib * GIB },
  });
const anyRequest = fc.record({
  language: fc.constantFrom(...LANGUAGES),
  onDisk: fc.subarray(MODELS.map(({ id }) => id)).map((some) => new Set(some)),
  hub: fc.boolean(),
  packages: fc.record({
    sherpa: fc.boolean(),
    llama: fc.boolean(),
    whisper: fc.boolean(),
    ort: fc.boolean(),
    ortCuda: fc.boolean(),
  }),
});

describe('a plan', () => {
  it('keeps within memory, card and disk, whatever the machine and the request', () => {
    fc.assert(
      fc.property(anyMachine, anyRequest, (amounts, request) => {
        const machine = machineOf(amounts);
        const made = planFor(machine, request);
        const { memory, disk } = machine.probe;
        // What is embedded needs memory even where there is hardly any.
        const embedded = PLAN_STAGES.every((stage) => !made[stage]?.model);
        expect(made.ramBytes <= memory.availableBytes || embedded).toBe(true);
        expect(made.vramBytes).toBeLessThanOrEqual(Math.max(...machine.probe.gpus.map((gpu) => gpu.freeBytes), 0));
        expect(made.downloadBytes).toBeLessThanOrEqual(disk.freeBytes);
        for (const stage of PLAN_STAGES) {
          const model = made[stage]!.model;
          if (!model) continue;
          expect(model.languages).toContain(request.language);
          expect(request.hub || request.onDisk.has(model.id)).toBe(true);
        }
      }),
    );
  });

  it('never gets smaller in any stage where there is more of everything', () => {
    fc.assert(
      fc.property(
        anyMachine,
        fc.constantFrom(...LANGUAGES),
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        (amounts, language, ram, vram, disk) => {
          const less = planFor(machineOf(amounts), { language });
          const { ramGib, vramGib, diskGib } = amounts;
          const grown = { ...amounts, ramGib: ramGib * ram, vramGib: vramGib * vram, diskGib: diskGib * disk };
          const more = planFor(machineOf(grown), { language });
          for (const stage of PLAN_STAGES) {
            expect(more[stage]!.level, stage).toBeGreaterThanOrEqual(less[stage]!.level);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
