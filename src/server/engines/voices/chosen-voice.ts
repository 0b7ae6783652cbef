import { EngineError, type SpeakingVoice } from '../contracts.ts';

/** A voice by its name, and the number that the model knows it by. */
export type NumberedVoice = { readonly name: string; readonly id: number };

/** The number of the voice that is asked for; throws an `EngineError` for an unknown name or a speed beyond 0.5 to 2. */
export function chosenVoice({ name, speed }: SpeakingVoice, voices: readonly NumberedVoice[]): number {
  if (!(speed >= 0.5 && speed <= 2)) throw new EngineError('tts', `The speed must be from 0.5 to 2, not ${speed}.`);
  const found = name === '' ? voices[0] : voices.find((voice) => voice.name === name);
  if (found) return found.id;
  const names = voices.map((voice) => voice.name).join(', ');
  throw new EngineError('tts', `There is no voice ${JSON.stringify(name)}; choose one of ${names}.`);
}
