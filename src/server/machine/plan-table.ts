import type { Plan, StagePlan } from './plan.ts';

const gb = (bytes: number): string => (bytes / 1e9).toFixed(1);

/** The plans of several machines as a Markdown table, one row each: models with where they run, memory, disk, the latency expected. */
export function planTable(plans: readonly { readonly machine: string; readonly plan: Plan }[]): string {
  const head = [
    'Machine',
    'Recognition',
    'Language model',
    'Speech',
    'VRAM GB',
    'RAM GB',
    'Disk GB',
    'Voice to voice ms',
  ];
  const rows = plans.map(({ machine, plan }) => {
    const { low, high } = plan.expected.voiceToVoiceMs;
    const figures = [gb(plan.vramBytes), gb(plan.ramBytes), gb(plan.diskBytes), `${low}–${high}`];
    return [machine, ...[plan.asr, plan.llm, plan.tts].map(cell), ...figures];
  });
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

function cell(stage: StagePlan | undefined): string {
  if (!stage) return '–';
  const { model, engine, device, gpuLayers } = stage;
  if (!model) return `${engine} (embedded)`;
  const partly = model.stage === 'llm' && gpuLayers && gpuLayers < model.layers ? `, ${gpuLayers}/${model.layers}` : '';
  return `${model.id} (${device === 'cpu' ? 'CPU' : device}${partly})`;
}
