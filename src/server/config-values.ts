import { z } from 'zod';

/** A number within limits. */
export const number = (min: number, max: number, unit = '') =>
  z.custom<number>((value) => typeof value === 'number' && value >= min && value <= max, {
    error: `must be a number from ${min} to ${max}${unit && ` ${unit}`}`,
  });
/** A whole number within limits. */
export const whole = (min: number, max: number, unit = '') =>
  z.custom<number>((value) => Number.isInteger(value) && Number(value) >= min && Number(value) <= max, {
    error: `must be a whole number from ${min} to ${max}${unit && ` ${unit}`}`,
  });
/** A text; may be empty. */
export const text = z.string({ error: 'must be text; put it in quotes' });
/** A list of texts. */
export const texts = z.array(text, { error: 'must be a list of texts, such as [a, b]' });
/** An HTTP address. */
export const url = z.custom<string>((value) => typeof value === 'string' && /^https?:\/\/[^\s]+$/.test(value), {
  error: 'must be an address that begins with http:// or https://, such as http://127.0.0.1:11434/v1',
});
/** One of a few names. */
export const oneOf = <const T extends readonly [string, ...string[]]>(...names: T) =>
  z.enum(names, { error: `must be one of ${names.join(', ')}` });

/** A part of the file that may be left out: its own defaults then hold. */
export const section = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, { error: 'must hold settings, one per line' });

/** Yes or no. */
export const flag = z.boolean({ error: 'must be true or false' });
