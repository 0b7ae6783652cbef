import { LANGUAGE_NAMES } from '../models/model-entry.ts';
import type { Choice } from './fit.ts';
import { type Gpu, isSoftwareVulkan, type Probe } from './machine.ts';
import { cardUse, cudaProblemOf, isTranslated, lackingFor } from './native-builds.ts';
import { EMBEDDED } from './options.ts';
import { PLAN_STAGES, type PlanRequest } from './plan-request.ts';

/** What the owner of the machine should know besides: a sentence each. */
export function notes(probe: Probe, request: PlanRequest, choice: Choice, card: Gpu | undefined): string[] {
  const said: string[] = [];
  const embedded = (request.stages ?? PLAN_STAGES).filter((stage) => !choice[stage].model);
  if (request.language !== 'en' && embedded.length > 0) {
    const engines = embedded.map((stage) => EMBEDDED[stage]).join(', ');
    said.push(
      `The embedded engines (${engines}) know English only; ${LANGUAGE_NAMES[request.language]} needs downloaded models.`,
    );
  }
  if (request.language === 'ja' && choice.tts.model?.family === 'kokoro') {
    said.push(
      'Japanese is read aloud by the rules of espeak-ng, which knows kana and few kanji: words will be misread.',
    );
  }
  if (!request.hub) said.push('Nothing can be downloaded now: only models on disk are planned.');
  if (probe.arch === 'x64' && !probe.cpu.avx2) {
    said.push('The processor has no AVX2: neural engines on it are not planned, but for a small language model.');
  }
  if (probe.gpuProblem !== undefined) said.push(probe.gpuProblem);
  const reserved = request.reserveVramBytes ?? 0;
  if (card && reserved > 0)
    said.push(`${(reserved / 1e9).toFixed(1)} GB of ${card.name} are left to the talking face.`);
  if (card) said.push(...cardNotes(card, probe, choice));
  const others = probe.gpus.filter((gpu) => gpu !== card);
  if (others.length > 0) said.push(`Not used: ${others.map(({ name }) => name).join(', ')}; one card is.`);
  if (probe.vulkan.drivers.some(isSoftwareVulkan) && probe.gpus.length === 0) {
    said.push('The only Vulkan device here is a software one, which is slower than the processor: it is not used.');
  }
  return said;
}

function cardNotes(card: Gpu, probe: Probe, { asr, llm }: Choice): string[] {
  const said: string[] = [];
  const translated = [
    ...(asr.device === 'cuda' && isTranslated('whisper', card, probe) ? ['@fugood/whisper.node'] : []),
    ...(llm.model && isTranslated('llama', card, probe) ? ['node-llama-cpp'] : []),
  ];
  if (translated.length > 0) {
    said.push(
      `${translated.join(' and ')} holds no machine code for ${card.name}: the driver translates it at the first start, which can take minutes.`,
    );
  }
  const lacking = card.maker === 'nvidia' ? lackingFor('whisper', 'cuda', probe) : undefined;
  if (lacking !== undefined && asr.device !== 'cuda') {
    said.push(`Recognition cannot use ${card.name} through CUDA: ${lacking}.`);
  }
  const cuda = cudaProblemOf('llama', card, probe);
  if (cuda === undefined) return said;
  const instead = 'device' in cardUse('llama', card, probe) ? 'Vulkan is used instead' : 'it is not used';
  return [...said, `The language model cannot use ${card.name} through CUDA: ${cuda}; ${instead}.`];
}
