import type { Screen } from './show-download.ts';

/** A conversion being shown; `end` leaves the last state standing and must be called also when it failed. */
export type ShownConversion = { show(step: string, done: number): void; end(): void };

const REDRAW_MS = 100;
const QUIET_MS = 30_000;

/** Shows on `screen` at which step a conversion is and how far, 0 to 1; a terminal gets one line that changes, anything else plain lines. */
export function showConversion(screen: Screen, clock: () => number = () => performance.now()): ShownConversion {
  let last = { step: '', at: Number.NEGATIVE_INFINITY };
  let unsaid: string | undefined;
  const line = (step: string, done: number) => `${String(Math.floor(done * 100)).padStart(3)} %  converting: ${step}`;
  const say = (text: string, step: string) => {
    const width = (screen.columns ?? 80) - 1;
    screen.write(screen.isTTY ? `\r\x1b[K${text.slice(0, width)}` : `${text}\n`);
    last = { step, at: clock() };
    unsaid = undefined;
  };
  return {
    show(step, done) {
      const waited = clock() - last.at;
      const text = line(step, done);
      if (waited >= (screen.isTTY ? REDRAW_MS : QUIET_MS) || (step !== last.step && !screen.isTTY)) say(text, step);
      else unsaid = text;
    },
    end() {
      if (unsaid !== undefined) say(unsaid, last.step);
      if (screen.isTTY && last.step !== '') screen.write('\n');
    },
  };
}
