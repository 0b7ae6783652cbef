/** What servers take of a request, from all to the least; which of them is found out by asking. */
export const FIELD_SETS = ['all', 'openai', 'least'] as const;
/** Which fields a server is sent. */
export type FieldSet = (typeof FIELD_SETS)[number];

/** What a video is asked for with. */
export type VideoWish = {
  /** Empty for the server's own. */
  readonly model: string;
  readonly prompt: string;
  readonly negativePrompt: string;
  /** A square PNG. */
  readonly picture: Uint8Array<ArrayBuffer>;
  readonly seconds: number;
  readonly seed: number;
};

const SIDE = 480;
/** Frames per second at which Wan2.2 makes videos. */
const FPS = 16;

/**
 * The form for `POST /v1/videos`: with vLLM-Omni's and SGLang's own fields, with those of OpenAI's interface, or with nothing
 * but words and picture.
 */
export function videoForm(wish: VideoWish, fields: FieldSet): FormData {
  const form = new FormData();
  const put = (name: string, value: string | number) => form.set(name, String(value));
  put('prompt', wish.prompt);
  if (wish.model !== '') put('model', wish.model);
  form.set('input_reference', new Blob([wish.picture], { type: 'image/png' }), 'picture.png');
  if (fields === 'least') return form;
  put('size', `${SIDE}x${SIDE}`);
  put('seconds', Math.max(1, Math.round(wish.seconds)));
  if (fields === 'openai') return form;
  put('width', SIDE);
  put('height', SIDE);
  // Wan makes 4n + 1.
  put('num_frames', 4 * Math.round((wish.seconds * FPS - 1) / 4) + 1);
  put('fps', FPS);
  put('seed', wish.seed);
  put('negative_prompt', wish.negativePrompt);
  return form;
}
