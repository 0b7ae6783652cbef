import type { LlmPlace } from './fit.ts';
import type { Gpu } from './machine.ts';
import type { Option } from './options.ts';

const NAMES = { pocketsphinx: 'PocketSphinx', builtin: 'the built-in ELIZA', flite: 'flite' } as const;

/** One sentence on what was picked for a stage, and why it and nothing better. */
export function reason(
  { model, engine }: Option,
  device: 'cpu' | 'cuda' | 'vulkan' | 'metal',
  place: LlmPlace | undefined,
  card: Gpu | undefined,
  obstacle: { readonly id: string; readonly why: string } | undefined,
): string {
  if (!model) {
    const embedded = NAMES[engine as keyof typeof NAMES] ?? engine;
    const instead = obstacle && `; the best model, ${obstacle.id}, is not taken: ${obstacle.why}`;
    return `${embedded}, which is embedded${instead ?? ''}.`;
  }
  const where = device === 'cpu' ? 'the processor' : `${card?.name ?? 'the card'} (${API[device]})`;
  if (!place || model.stage !== 'llm') {
    return device === 'cpu'
      ? `${model.title} on the processor: the best that is quick enough on it and fits.`
      : `${model.title} on ${where}, which is faster there and leaves the processor free.`;
  }
  const all = place.gpuLayers >= model.layers;
  const layers =
    place.gpuLayers === 0
      ? ''
      : all
        ? `, all ${model.layers} layers`
        : `, ${place.gpuLayers} of ${model.layers} layers`;
  return `${model.title} on ${where}${layers}: the largest that fits at about ${place.tokensPerSecond.toFixed(0)} tokens a second.`;
}

const API = { cpu: 'CPU', cuda: 'CUDA', vulkan: 'Vulkan', metal: 'Metal' } as const;
