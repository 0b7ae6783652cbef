import { joinedSamples, MIC_RATE } from '../protocol/pcm.ts';
import type { SpeechSynthesizer } from '../server/engines/contracts.ts';
import { create } from '../server/engines/flite-tts.ts';
import { resample } from './resample.ts';
import { speechBounds, type Utterance } from './speech-set.ts';

/** `text` spoken by a voice of the embedded synthesiser (its first if none is named), at 16 kHz. */
export async function synthesised(text: string, voice = ''): Promise<Float32Array> {
  await using tts = await create();
  // Awaited here: the synthesiser is closed on return.
  return await spoken(tts, text, voice);
}

/** Utterances of the embedded synthesiser's voices in turn, one per text, at 16 kHz. */
export async function synthesisedUtterances(texts: readonly string[]): Promise<Utterance[]> {
  await using tts = await create();
  const utterances: Utterance[] = [];
  for (const [i, text] of texts.entries()) {
    const voice = tts.voices[i % tts.voices.length]!;
    const samples = await spoken(tts, text, voice);
    utterances.push({ id: `${voice}-${i}`, text, samples, ...speechBounds(samples) });
  }
  return utterances;
}

async function spoken(tts: SpeechSynthesizer, text: string, voice: string): Promise<Float32Array> {
  const chunks: Float32Array[] = [];
  for await (const { samples } of tts.speak(text, { name: voice, speed: 1 }, new AbortController().signal))
    chunks.push(samples);
  return resample({ rate: tts.rate, samples: joinedSamples(chunks) }, MIC_RATE).samples;
}
