import { probeCpu } from './cpu.ts';
import { probeGpus } from './gpus.ts';
import type { Probe } from './machine.ts';
import { probeMemory } from './memory.ts';
import { outputOf, type System, thisSystem } from './system.ts';

export type ProbeOptions = {
  /** Where models are kept; it need not be there yet. */
  readonly modelsFolder: string;
  /** Whether the model hub answers, where that is known. */
  readonly hub?: boolean;
  /** The machine that is asked; this one if not given. */
  readonly system?: System;
  /** How long nvidia-smi may take; 8 000 if not given. */
  readonly cardLimitMs?: number;
};

/** Looks at the machine: a few files and commands, none of which is waited for long. */
export async function probe(
  { modelsFolder, hub, system = thisSystem(), cardLimitMs = 8_000 }: ProbeOptions,
  signal: AbortSignal,
): Promise<Probe> {
  const memory = await probeMemory(system, signal);
  const [cpu, graphics, ffmpeg, freeBytes] = await Promise.all([
    probeCpu(system, signal),
    probeGpus(system, memory, cardLimitMs, signal),
    outputOf(system, ['ffmpeg', '-version'], 5_000, signal),
    system.freeDisk(modelsFolder),
  ]);
  const version = /^ffmpeg version (\S+)/.exec(ffmpeg ?? '')?.[1];
  const { platform, arch, node, root } = system;
  return {
    ...{ platform, arch, node, root, cpu, memory },
    ...graphics,
    ...(version !== undefined && { ffmpeg: version }),
    disk: { folder: modelsFolder, freeBytes },
    ...(hub !== undefined && { hub }),
  };
}
