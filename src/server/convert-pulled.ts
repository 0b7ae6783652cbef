import type { Conversion, Made } from './conversions.ts';
import type { StoredModel } from './models/stored-model.ts';
import { showConversion } from './show-conversion.ts';
import type { Screen } from './show-download.ts';

/** Makes of a model that is here what it is used by, and shows on `screen` how far that is. */
export async function convertPulled(
  conversion: Conversion,
  model: StoredModel,
  screen: Screen,
  signal: AbortSignal,
): Promise<Made> {
  const shown = showConversion(screen);
  const say = (line: string) => {
    shown.end();
    screen.write(`${line}\n`);
  };
  const show = (step: string, done: number) => shown.show(step, done);
  return conversion.make(model, show, say, signal).finally(() => shown.end());
}
