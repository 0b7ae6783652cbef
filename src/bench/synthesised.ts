import { MIC_RATE } from '../protocol/pcm.ts';
import { create } from '../server/engines/flite-tts.ts';
import { resample } from './resample.ts';

/** `text` spoken by a voice of the embedded synthesiser (its first if none is named), at 16 kHz. */
export async function synthesised(text: string, voice = ''): Promise<Float32Array> {
  await using tts = await create();
  const chunks: Float32Array[] = [];
  for await (const { samples } of tts.speak(text, voice, new AbortController().signal)) chunks.push(samples);
  const whole = new Float32Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return resample({ rate: tts.rate, samples: whole }, MIC_RATE).samples;
}
