import { readdirSync, readFileSync } from 'node:fs';
import type { Probe } from '../server/machine/machine.ts';
import { plan } from '../server/machine/plan.ts';
import type { PlanRequest } from '../server/machine/plan-request.ts';
import { planTable } from '../server/machine/plan-table.ts';
import type { Row, Say } from './row.ts';

type Recorded = { readonly machine: string; readonly packages: PlanRequest['packages']; readonly probe: Probe };

const FOLDER = new URL('../../test/fixtures/probes/', import.meta.url);

/** Plans for the recorded machines: prints the table of docs/plans.md, and counts the plans that keep within their machine. */
export async function planRow(say: Say): Promise<Row[]> {
  let files: string[];
  try {
    files = readdirSync(FOLDER).sort();
  } catch {
    say('plan: the recorded machines are in the repository only, in test/fixtures/probes');
    return [];
  }
  const machines = files.map((file): Recorded => JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')));
  const plans = machines.map(({ machine, packages, probe }) => {
    const made = plan(probe, { language: 'en', hub: true, onDisk: new Set(), packages });
    const card = Math.max(0, ...probe.gpus.map(({ freeBytes }) => freeBytes));
    const fits =
      made.ramBytes <= probe.memory.availableBytes &&
      made.vramBytes <= card &&
      made.downloadBytes <= probe.disk.freeBytes;
    return { machine, plan: made, fits };
  });
  for (const line of planTable(plans).trimEnd().split('\n')) say(line);
  const value = plans.filter(({ fits }) => fits).length;
  return [
    {
      id: 'plan',
      unit: 'machines',
      n: plans.length,
      value,
      bar: 'each within its machine',
      ok: value === plans.length,
    },
  ];
}
