import type { Config } from './config.ts';
import type { Probe } from './machine/machine.ts';
import type { Plan } from './machine/plan.ts';
import { PLAN_STAGES, type PlanStage } from './machine/plan-request.ts';
import { ModelStore } from './models/store.ts';
import { planHere } from './plan-here.ts';

/** What a start with this configuration would plan; a stage whose engine takes no model of ours is left out. */
export type Plans = {
  readonly now: Plan;
  /** With the model hub in reach, where it is not. */
  readonly online: Plan | undefined;
};

/** Plans for `machine` as a start would; throws an `EngineError` for a model that the configuration names and nobody knows. */
export async function plansFor(config: Config, machine: Probe, signal: AbortSignal): Promise<Plans> {
  const { plan } = await planHere(config, new ModelStore(config.models), signal, { machine });
  return { now: await plan(machine.hub ?? false), online: machine.hub ? undefined : await plan(true) };
}

const gb = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** The plan for people: each stage with its reason, what better model is not taken and why, what it takes and how fast it should be. */
export function planText({ now, online }: Plans): string {
  const planned = PLAN_STAGES.filter((stage) => now[stage]);
  if (planned.length === 0) return '';
  const { low, high } = now.expected.voiceToVoiceMs;
  const lines = [
    'The plan, where config.yml names no engine or no model',
    ...planned.flatMap((stage) => [`${stage}   ${now[stage]!.why}`, ...notTaken(now, stage)]),
    `It takes ${gb(now.ramBytes)} of memory, ${gb(now.vramBytes)} of the card, ${gb(now.diskBytes)} of disk (${gb(now.downloadBytes)} to download).`,
    `An answer should begin ${low} to ${high} ms after you stop (${now.expected.basis}).`,
    ...now.notes,
  ];
  const ids = online ? planned.flatMap((stage) => online[stage]!.model?.id ?? []) : [];
  if (online && ids.length > 0) {
    lines.push(`With the hub in reach it would be ${ids.join(', ')}: ${gb(online.downloadBytes)} to download.`);
  }
  return `\n${lines.join('\n')}\n`;
}

/** Models with the same reason against them share a line. */
function notTaken({ rejected }: Plan, stage: PlanStage): string[] {
  const byReason = new Map<string, string[]>();
  for (const { id, why, stage: of } of rejected) {
    if (of === stage) byReason.set(why, [...(byReason.get(why) ?? []), id]);
  }
  return [...byReason].map(([why, ids]) => `      not ${ids.join(', ')}: ${why}`);
}
