import { z } from 'zod';
import { flag, number, oneOf, section, text, texts, url, whole } from './config-values.ts';

const STILL_FACE = 'the same person in the same place, fixed camera, plain background, natural light';

/** The settings of the video tier; of base clips and lip-sync one shape for each engine. */
export const videoShape = section({
  enabled: flag.default(false),
  avatar: text.default(''),
  mode: oneOf('library', 'reflective').default('library'),
  quietSeconds: whole(0, 3_600, 'seconds').default(20),
  keepClips: whole(1, 1_000).default(20),
  encoder: oneOf('auto', 'ffmpeg', 'webcodecs').default('auto'),
  prompts: section({
    idle: text.default(
      `A person looks calmly into the camera, breathes quietly and blinks now and then, ${STILL_FACE}`,
    ),
    listening: text.default(
      `A person listens with interest, looks into the camera and nods slightly, mouth closed, ${STILL_FACE}`,
    ),
    thinking: text.default(`A person thinks, looks aside for a moment and back, mouth closed, ${STILL_FACE}`),
    speaking: texts.default([
      `A person talks to the camera in a friendly way with small movements of the head, ${STILL_FACE}`,
      `A person explains something to the camera, lively, with small nods, ${STILL_FACE}`,
    ]),
    reply: text.default(`A person says to the camera: "{reply}", the expression fits these words, ${STILL_FACE}`),
    negative: text.default('blurry, distorted face, extra fingers, text, watermark, cut, camera movement'),
  }).prefault({}),
  baseClips: z.discriminatedUnion('engine', [
    section({ engine: z.literal('auto') }),
    section({ engine: z.literal('still') }),
    section({ engine: z.literal('video'), file: text.default('') }),
    section({
      engine: z.literal('wan22'),
      python: text.default('python3'),
      preset: oneOf('auto', 'sm120', 'sm90', 'sm89', 'sm86', 'floor').default('auto'),
      weights: oneOf('auto', 'fp8', 'int8', 'bf16').default('auto'),
      baseModel: text.default(''),
      highNoise: text.default(''),
      lowNoise: text.default(''),
      frames: whole(5, 161).default(81),
      steps: z
        .array(whole(1, 1_000), { error: 'must be a list of whole numbers, such as [1000, 750, 500, 250]' })
        .default([1000, 750, 500, 250]),
      boundaryStep: whole(1, 100).default(2),
      loras: z
        .array(
          section({
            target: oneOf('high_noise', 'low_noise'),
            path: text,
            strength: number(0, 4).default(1),
          }),
          { error: 'must be a list of { target, path, strength }' },
        )
        .default([]),
      port: whole(0, 65_535).default(0),
      startMinutes: number(0.1, 120, 'minutes').default(20),
    }),
    section({
      engine: z.literal('openai-videos'),
      baseUrl: url,
      model: text.default(''),
      apiKey: text.default(''),
    }),
  ]),
  lipSync: z.discriminatedUnion('engine', [
    section({ engine: z.literal('auto') }),
    section({ engine: z.literal('visemes') }),
    section({ engine: z.literal('remote'), baseUrl: url, token: text.default('') }),
    section({
      engine: z.literal('musetalk'),
      device: oneOf('auto', 'cuda', 'webgpu', 'cpu').default('auto'),
      gpu: whole(0, 15).default(0),
      mask: oneOf('jaw', 'neck', 'raw').default('jaw'),
      margin: whole(0, 100, 'pixels').default(10),
    }),
  ]),
});
