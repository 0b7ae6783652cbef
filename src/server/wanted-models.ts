import type { Config } from './config.ts';
import { EngineError } from './engines/contracts.ts';
import type { PlanStage } from './machine/plan-request.ts';
import type { ModelEntry } from './models/model-entry.ts';
import { isPath } from './models/own-model.ts';
import { nearest } from './nearest.ts';

/** What one stage wants: nothing, what the plan says, or a model that the user named. */
export type Want =
  | { is: 'nothing' }
  | { is: 'planned'; named: boolean }
  | { is: 'entry'; entry: ModelEntry }
  | { is: 'path'; path: string };

const MODEL_ENGINES: Readonly<Record<PlanStage, readonly string[]>> = {
  asr: ['sherpa', 'whisper'],
  llm: ['llama'],
  tts: ['sherpa', 'kokoro'],
};

/** What the configuration wants for a stage; throws an `EngineError` for a model that does not exist. */
export function wantOf(config: Config, stage: PlanStage, models: readonly ModelEntry[]): Want {
  const settings = config[stage];
  if (settings.engine === 'auto') return { is: 'planned', named: false };
  if (!takesModels(config, stage) || !('model' in settings)) return { is: 'nothing' };
  const { model } = settings;
  const able = models.filter((one) => one.stage === stage && suits(config, one));
  if (stage === 'asr') checkHotWords(config, model === '' ? able : able.filter(({ id }) => id === model));
  if (model === '') return { is: 'planned', named: true };
  if (isPath(model)) return { is: 'path', path: model };
  const entry = models.find(({ id }) => id === model);
  if (entry && able.includes(entry)) {
    if (entry.languages.includes(config.language)) return { is: 'entry', entry };
    const known = `knows ${entry.languages.join(', ')}; language in config.yml is ${config.language}`;
    throw new EngineError(stage, `${stage}.model ${model} ${known}. Change one of them.`);
  }
  const fitting = able.filter(({ languages }) => languages.includes(config.language)).map(({ id }) => id);
  const meant = nearest(model, fitting);
  const hint = meant ? `did you mean ${meant}? ` : '';
  const what = entry ? `is no model for the engine ${settings.engine}` : 'is not known';
  throw new EngineError(stage, `${stage}.model ${model} ${what}; ${hint}voice-chat models lists what there is.`);
}

/** Throws, before anything is fetched, where none of these models takes the hot words of the configuration. */
function checkHotWords({ asr }: Config, able: readonly ModelEntry[]): void {
  if (asr.engine !== 'sherpa' || asr.hotWords.length === 0 || able.length === 0) return;
  const isHan = asr.hotWords.every((word) => /^[\p{Script=Han}\s]+$/u.test(word));
  if (able.some(({ family, files }) => family === 'zipformer' && (isHan || files.some(({ role }) => role === 'bpe'))))
    return;
  const which =
    able.length === 1 ? `${able[0]!.id} does not take` : 'No model of voice-chat for the engine sherpa takes';
  const fix = 'leave it empty, set asr.engine: whisper, or name a streaming Zipformer of your own with its bpe file';
  throw new EngineError('asr', `${which} asr.hotWords: ${fix}.`);
}

/** Whether the stage's engine runs a model here, named or picked. */
export const takesModels = (config: Config, stage: PlanStage): boolean =>
  config[stage].engine === 'auto' || MODEL_ENGINES[stage].includes(config[stage].engine);

/** Whether the engine that the configuration names takes this model; `auto` takes any. What makes videos is not planned. */
export function suits(config: Config, model: ModelEntry): boolean {
  if (model.stage === 'video') return false;
  const { engine } = config[model.stage];
  if (engine === 'kokoro') return model.family === 'kokoro';
  return engine === 'auto' || engine === model.engine || !MODEL_ENGINES[model.stage].includes(engine);
}
