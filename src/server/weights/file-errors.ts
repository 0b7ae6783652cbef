import { WeightsError } from './weights.ts';

/** The error for a file that is not what it was when it was written. */
export const damaged = (file: string, what: string): WeightsError =>
  new WeightsError(`${file} is damaged (${what}); fetch it again.`);

/** The error for a file that is whole, but asks for more than weights do. */
export const refused = (file: string, what: string): WeightsError =>
  new WeightsError(`${file} is not opened, since ${what}; take a file of weights alone, such as a .safetensors file.`);

/** Words of a file, fit for a sentence: on one line, and not long. */
export const quoted = (words: string): string =>
  JSON.stringify(words.length > 80 ? `${words.slice(0, 80)}…` : words).replace(/[\u007f-\u009f\u2028\u2029]/g, '?');
