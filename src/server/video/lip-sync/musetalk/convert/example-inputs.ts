import { readPresets } from '../../../avatars/presets.ts';
import { readPicture } from '../../../pictures/read-picture.ts';
import { sampleSquare } from '../../../pictures/sample-square.ts';
import {
  FACE_SIZE,
  FRAME_TOKENS,
  LATENT_CHANNELS,
  LATENT_SIZE,
  MEL_BANDS,
  MEL_COLUMNS,
  PARSE_SIZE,
  POSE_HEIGHT,
  POSE_WIDTH,
  STATES,
} from '../networks.ts';
import type { Tensors } from '../process/tensors.ts';

/** Where in the made-up speech the painted frame lies, in tokens. */
const FRAME_AT = 100;

/** What the networks are tried with: a face that comes with the project, and something like the log-mel of speech. */
export async function exampleInputs(): Promise<Readonly<Record<'speech' | 'face' | 'parser' | 'pose', Tensors>>> {
  const [preset] = await readPresets();
  const { png, face } = preset!;
  const picture = await readPicture(png);
  const centre = { x: face.box.x + face.box.width / 2, y: face.box.y + face.box.height / 2 };
  const square = (share: number) => ({ centre, side: share * Math.max(face.box.width, face.box.height), angle: 0 });
  // Black and white as the networks' normalised pictures have them, nearly.
  const range = [-2.1, 2.4] as const;
  const planes = sampleSquare(picture, square(1), FACE_SIZE, [0, 255]);
  const rgb = new Uint8Array(planes.length).map((_, i) => planes[(i % 3) * FACE_SIZE ** 2 + Math.floor(i / 3)]! + 0.5);
  return {
    speech: { mel: { dims: [1, MEL_BANDS, MEL_COLUMNS], data: melOfSpeech() } },
    face: { face: { dims: [1, FACE_SIZE, FACE_SIZE, 3], data: rgb } },
    parser: {
      picture: { dims: [1, 3, PARSE_SIZE, PARSE_SIZE], data: sampleSquare(picture, square(1.5), PARSE_SIZE, range) },
    },
    pose: {
      picture: {
        dims: [1, 3, POSE_HEIGHT, POSE_WIDTH],
        data: upright(sampleSquare(picture, square(2), POSE_HEIGHT, range)),
      },
    },
  };
}

/** The inputs of one painted frame, from what the networks before it made of theirs. */
export function frameInputs(speech: Tensors, face: Tensors): Tensors {
  const { dims, data } = speech.states!;
  const width = dims.at(-1)!;
  const states = data.slice(FRAME_AT * STATES * width, (FRAME_AT + FRAME_TOKENS) * STATES * width);
  return {
    states: { dims: [1, FRAME_TOKENS * STATES, width], data: states },
    latents: { dims: [1, LATENT_CHANNELS, LATENT_SIZE, LATENT_SIZE], data: face.latents!.data },
  };
}

/** Syllables of four a second, whose bands of strong sound wander; within the range of a log-mel as whisper takes it. */
function melOfSpeech(): Float32Array {
  return new Float32Array(MEL_BANDS * MEL_COLUMNS).map((_, i) => {
    const [band, column] = [Math.floor(i / MEL_COLUMNS), i % MEL_COLUMNS];
    const loud = Math.max(0, Math.sin((2 * Math.PI * column) / 25)) ** 0.5;
    const formant = (place: number, wander: number, period: number) =>
      Math.exp(-(((band - place - wander * Math.sin((2 * Math.PI * column) / period)) / 5) ** 2));
    const strong = formant(12, 6, 170) + 0.8 * formant(34, 9, 230) + 0.5 * formant(52, 5, 310);
    return -0.6 + 1.6 * loud * strong + 0.02 * Math.sin(i * 12.9898);
  });
}

/** The middle of square planes, as wide as DWPose sees. */
function upright(planes: Float32Array): Float32Array {
  const left = (POSE_HEIGHT - POSE_WIDTH) / 2;
  return new Float32Array(3 * POSE_HEIGHT * POSE_WIDTH).map((_, i) => {
    const row = Math.floor(i / POSE_WIDTH);
    return planes[row * POSE_HEIGHT + left + (i % POSE_WIDTH)]!;
  });
}
