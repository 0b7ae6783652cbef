import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  kittenModel,
  kokoroModel,
  matchaModel,
  type TinySound,
  vitsModel,
  vocoderModel,
  voicesFile,
} from './tts-graphs.ts';
import { tokensFile } from './tts-tokens.ts';

export type TinyTtsOptions = Partial<TinySound> & {
  /** Of a Piper voice; the others have three. */
  readonly speakers?: number;
};

/** The voices of a tiny Kokoro model, in the order of their ids. */
export const TINY_KOKORO_VOICES = ['af_alloy', 'af_heart', 'bm_george'] as const;

const KOKORO_ROWS = 510;
const CAPITALS = [...'AIOQSTWY'];

/**
 * Writes a tiny model of this family, with the tensor names, metadata and further files of the real one, into `folder`
 * and returns the files by their roles; espeak-ng's data is not among them.
 */
export async function writeTinyTts(
  family: 'kokoro' | 'vits' | 'matcha' | 'kitten',
  folder: string,
  options: TinyTtsOptions = {},
): Promise<Record<string, string>> {
  const piper = family === 'vits' || family === 'matcha';
  const sound = { rate: piper ? 22_050 : 24_000, tokenSamples: piper ? 512 : 960, ...options };
  await mkdir(folder, { recursive: true });
  const files: Record<string, string> = {};
  const write = async (role: string, name: string, content: Uint8Array | string) => {
    files[role] = join(folder, name);
    await writeFile(files[role], content);
  };
  const voices = (rows: number) =>
    write('voices', 'voices.bin', new Uint8Array(voicesFile(TINY_KOKORO_VOICES.length, rows).buffer));
  switch (family) {
    case 'kokoro':
      await write('model', 'model.onnx', kokoroModel(sound, kokoroMetadata));
      await voices(KOKORO_ROWS);
      await write('lexicon-us', 'lexicon-us-en.txt', LEXICON);
      break;
    case 'kitten':
      await write('model', 'model.fp16.onnx', kittenModel(sound, kittenMetadata));
      await voices(1);
      break;
    case 'vits':
      await write('model', 'en_US-tiny-low.onnx', vitsModel(sound, options.speakers ?? 1));
      break;
    case 'matcha':
      await write('model', 'model-steps-3.onnx', matchaModel(sound));
      await write('vocoder', 'hifigan_v2.onnx', vocoderModel(sound));
  }
  await write('tokens', 'tokens.txt', tokensFile(piper ? ['_', '^', '$'] : ['$'], CAPITALS));
  return files;
}

const speakers = {
  n_speakers: TINY_KOKORO_VOICES.length,
  speaker_names: TINY_KOKORO_VOICES.join(','),
  speaker2id: TINY_KOKORO_VOICES.map((name, id) => `${name}->${id}`).join(','),
};
const kokoroMetadata = { model_type: 'kokoro', version: 2, style_dim: `${KOKORO_ROWS},1,256`, ...speakers };
const kittenMetadata = { model_type: 'kitten-tts', language: 'English', version: 1, style_dim: '1,256', ...speakers };

/** A few words as Kokoro's lexicon writes them: the word, then its phonemes, each a token. */
const LEXICON = `\
a ɐ
and æ n d
breakfast b ɹ ˈ ɛ k f ə s t
cat k ˈ æ t
costs k ˈ ɔ s t s
dog d ˈ ɔ ɡ
good ɡ ˈ ʊ d
have h ˌ æ v
hello h ə l ˈ O
house h ˈ W s
i ˌ I
is ɪ z
it ɪ t
light l ˈ I t
man m ˈ æ n
morning m ˈ ɔ ɹ n ɪ ŋ
now n ˈ W
old ˈ O l d
play p l ˈ A
sea s ˈ i
shell ʃ ˈ ɛ l
so s ˌ O
stop s t ˈ ɑ p
street s t ɹ ˈ i t
that ð ˈ æ t
the ð ə
then ð ˈ ɛ n
want w ˈ ɑ n t
`;
