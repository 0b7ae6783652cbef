import type { LlmModel } from '../models/model-entry.ts';
import type { Gpu, Probe } from './machine.ts';
import { cardUse } from './native-builds.ts';
import type { Option } from './options.ts';
import type { PlanRequest, PlanStage } from './plan-request.ts';
import {
  cardBytesPerSecond,
  cpuBytesPerSecond,
  MIN_TOKENS_PER_SECOND,
  MIN_TOKENS_PER_SECOND_PARTLY,
  readsPromptInTime,
  tokensPerSecond,
} from './speed.ts';

const GIB = 2 ** 30;
/** What CUDA or Vulkan itself takes of the card, for each process that uses it. */
const CARD_CONTEXT_BYTES = 0.6e9;
/** What such a process takes beside the card. */
const HOST_BYTES = 0.5e9;
const CONTEXTS = [8_192, 4_096] as const;
/** With fewer layers on the card, the processor's share makes it too slow to be worth the card. */
const LEAST_SHARE = 0.6;

/** What may be used, after reserves for the system, the display and others. */
export type Budget = {
  readonly ramBytes: number;
  readonly vramBytes: number;
  readonly diskBytes: number;
  readonly card: Gpu | undefined;
};

/** Where a language model lies. */
export type LlmPlace = {
  readonly device: 'cpu' | 'cuda' | 'vulkan' | 'metal';
  readonly gpuLayers: number;
  readonly contextTokens: number;
  readonly conversations: number;
  readonly vramBytes: number;
  readonly ramBytes: number;
  readonly tokensPerSecond: number;
};

export type Choice = Readonly<Record<PlanStage, Option>>;
export type Fit = {
  readonly llm?: LlmPlace;
  readonly ramBytes: number;
  readonly vramBytes: number;
  readonly diskBytes: number;
  readonly downloadBytes: number;
};

/** What there is to use of this machine. */
export function budgetOf(probe: Probe, request: PlanRequest, card: Gpu | undefined): Budget {
  // The server, the voice detector and the system's own ups and downs.
  const ramBytes = probe.memory.availableBytes - GIB - (request.reserveRamBytes ?? 0);
  const display = card ? Math.max(GIB / 4, card.totalBytes * 0.04) : 0;
  const free = card?.maker === 'apple' ? Math.min(ramBytes, (card.totalBytes * 2) / 3) : (card?.freeBytes ?? 0);
  return {
    ramBytes: Math.max(0, ramBytes),
    vramBytes: Math.max(0, free - display - (request.reserveVramBytes ?? 0)),
    diskBytes: Math.max(0, probe.disk.freeBytes - 2 * GIB),
    card,
  };
}

/** What a speech engine takes: on the card, or beside it. */
export function memoryOf({ model, device }: Option): { vramBytes: number; ramBytes: number } {
  if (!model) return { vramBytes: 0, ramBytes: 0.2e9 };
  if (device === 'cpu') return { vramBytes: 0, ramBytes: model.memoryBytes };
  return { vramBytes: model.memoryBytes + CARD_CONTEXT_BYTES, ramBytes: HOST_BYTES };
}

/** How a choice lies in memory and on disk; a string says what it lacks. */
export function fitting(choice: Choice, probe: Probe, request: PlanRequest, budget: Budget): Fit | string {
  const models = Object.values(choice).flatMap(({ model }) => model ?? []);
  const diskBytes = models.reduce((sum, model) => sum + model.totalBytes, 0);
  const downloadBytes = models
    .filter(({ id }) => !request.onDisk.has(id))
    .reduce((sum, model) => sum + model.totalBytes, 0);
  if (downloadBytes > budget.diskBytes) return lacks('of disk', downloadBytes, budget.diskBytes);

  const speech = [memoryOf(choice.asr), memoryOf(choice.tts)];
  const vramBytes = speech.reduce((sum, memory) => sum + memory.vramBytes, 0);
  const ramBytes = speech.reduce((sum, memory) => sum + memory.ramBytes, 0);
  if (vramBytes > budget.vramBytes) return lacks('of video memory', vramBytes, budget.vramBytes);
  if (ramBytes > budget.ramBytes) return lacks('of memory', ramBytes, budget.ramBytes);

  const { model } = choice.llm;
  if (model?.stage !== 'llm') return { ramBytes, vramBytes, diskBytes, downloadBytes };
  const left = { vramBytes: budget.vramBytes - vramBytes, ramBytes: budget.ramBytes - ramBytes };
  const llm = placeLlm(model, probe, budget.card, left);
  if (typeof llm === 'string') return llm;
  return { llm, ramBytes: ramBytes + llm.ramBytes, vramBytes: vramBytes + llm.vramBytes, diskBytes, downloadBytes };
}

/** On the card as a whole, else most of it, else on the processor; a string says why not. */
function placeLlm(
  model: LlmModel,
  probe: Probe,
  card: Gpu | undefined,
  left: { readonly vramBytes: number; readonly ramBytes: number },
): LlmPlace | string {
  const use = card && cardUse('llama', card, probe);
  const device = use && 'device' in use ? use.device : undefined;
  const cpuSpeed = cpuBytesPerSecond(probe);
  const reasons = new Map<string, string>();
  const attempt = (share: number, contextTokens: number): LlmPlace | undefined => {
    const onCard = share > 0 && card && device;
    const partly = share > 0 && share < 1;
    const working = model.memoryBytes + model.kvBytesPerToken * contextTokens;
    const vramBytes = onCard ? working * share + CARD_CONTEXT_BYTES : 0;
    // Apple's card has no memory of its own: what it takes is taken of the machine's.
    const ramBytes = (device === 'metal' ? working : working * (1 - share)) + (onCard ? HOST_BYTES : 0);
    const speed = tokensPerSecond(model, share, onCard ? cardBytesPerSecond(card) : 1, cpuSpeed);
    if (vramBytes > left.vramBytes) reasons.set('card', lacks('of video memory', vramBytes, left.vramBytes));
    else if (ramBytes > left.ramBytes) reasons.set('memory', lacks('of memory', ramBytes, left.ramBytes));
    else if (speed < (partly ? MIN_TOKENS_PER_SECOND_PARTLY : MIN_TOKENS_PER_SECOND)) {
      reasons.set(partly ? 'partly' : 'slow', slow(speed, share));
    } else if (!readsPromptInTime(model, share, cpuSpeed)) {
      reasons.set('slow', 'the processor would read a prompt too slowly');
    } else {
      const gpuLayers = Math.round(model.layers * share);
      const place = { device: onCard ? device : ('cpu' as const), gpuLayers, contextTokens, conversations: 1 };
      return { ...place, vramBytes, ramBytes, tokensPerSecond: speed };
    }
    return undefined;
  };
  const whole = device ? CONTEXTS.map((context) => [1, context] as const) : [];
  const tokens = CONTEXTS.at(-1)!;
  const wanted = model.memoryBytes + model.kvBytesPerToken * tokens;
  const layers = Math.floor(((left.vramBytes - CARD_CONTEXT_BYTES) / wanted) * model.layers);
  const share = Math.min(model.layers - 1, layers) / model.layers;
  const most = device && device !== 'metal' && share >= LEAST_SHARE ? [[share, tokens] as const] : [];
  const beside = CONTEXTS.map((context) => [0, context] as const);
  for (const [part, context] of [...whole, ...most, ...beside]) {
    const place = attempt(part, context);
    if (place) return withMore(place, model, left);
  }
  return [...reasons.values()].join('; ');
}

/** Room for more conversations at once, as long as there is memory that nobody else wants. */
function withMore(
  place: LlmPlace,
  model: LlmModel,
  left: { readonly vramBytes: number; readonly ramBytes: number },
): LlmPlace {
  const share = place.gpuLayers / model.layers;
  const each = model.kvBytesPerToken * place.contextTokens;
  const vram = place.device === 'metal' ? each : each * share;
  const ram = place.device === 'metal' ? each : each * (1 - share);
  // Half of what is left stays free.
  const room = (free: number, bytes: number) => (bytes > 0 ? Math.floor(free / 2 / bytes) : Number.POSITIVE_INFINITY);
  const more = Math.min(3, room(left.vramBytes - place.vramBytes, vram), room(left.ramBytes - place.ramBytes, ram));
  const extra = Math.max(0, place.device === 'cpu' ? Math.min(1, more) : more);
  return {
    ...place,
    conversations: 1 + extra,
    vramBytes: place.vramBytes + extra * (place.device === 'cpu' ? 0 : vram),
    ramBytes: place.ramBytes + extra * ram,
  };
}

const slow = (speed: number, share: number): string =>
  `about ${speed.toFixed(0)} tokens a second ${share > 0 ? 'with part of it on the processor' : 'on the processor'} are too few`;
const lacks = (what: string, wanted: number, free: number): string =>
  `it would take ${(wanted / 1e9).toFixed(1)} GB ${what}, and ${(free / 1e9).toFixed(1)} GB are free for it`;
