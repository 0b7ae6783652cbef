import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { planRow } from '../../../src/bench/plan-row.ts';
import { planTable } from '../../../src/server/machine/plan-table.ts';
import { MACHINES, planFor } from '../../fixtures/probes.ts';

const document = readFileSync(new URL('../../../docs/plans.md', import.meta.url), 'utf8');

it('docs/plans.md holds the plans of the ten recorded machines as they are made now', () => {
  expect(MACHINES).toHaveLength(10);
  expect(document).toContain(planTable(MACHINES.map((one) => ({ machine: one.machine, plan: planFor(one) }))));
});

it('the benchmark prints the same table, and counts every plan within its machine', async () => {
  const lines: string[] = [];
  const rows = await planRow((line) => lines.push(line));
  expect(document).toContain(lines.join('\n'));
  expect(rows).toMatchObject([{ id: 'plan', n: 10, value: 10, ok: true }]);
});
