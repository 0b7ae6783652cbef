import { z } from 'zod';
import { spokenDuration } from './duration.ts';
import type { RunningTimer } from './timers.ts';
import type { Tool } from './tool.ts';

const amount = z.number({ error: 'must be a number' }).min(0, { error: 'must not be below 0' }).optional();

const args = z.object({
  action: z
    .enum(['set', 'list', 'cancel'], { error: 'must be set, list or cancel' })
    .default('set')
    .describe('set starts a timer, list says which run, cancel stops the ones with that label, or all'),
  hours: amount,
  minutes: amount,
  seconds: amount,
  label: z.string().max(100).default('').describe('What the timer is for, such as "tea". May be left out.'),
  announcement: z
    .string()
    .max(200)
    .default('')
    .describe(
      "What is said aloud when the timer is over, one sentence in the user's language. Left out: an English one.",
    ),
});

const MAX_MS = 24 * 3_600_000;

/** Sets, lists and cancels timers; one that is over is announced aloud. */
export const timer: Tool<typeof args> = {
  name: 'timer',
  description: 'Sets a timer or reminder that is announced aloud when it is over, lists timers, or cancels them.',
  args,
  async run({ action, hours = 0, minutes = 0, seconds = 0, label, announcement }, { clock, timers }) {
    const named = (one: RunningTimer) => (one.label === '' ? 'timer' : `timer for ${one.label}`);
    const left = (one: RunningTimer) => spokenDuration(Math.max(0, one.ends - clock.now().getTime()));
    switch (action) {
      case 'set': {
        const ms = ((hours * 60 + minutes) * 60 + seconds) * 1000;
        if (ms < 1000) return 'No timer was set: say how long, in hours, minutes or seconds, at least one second.';
        if (ms > MAX_MS) return 'No timer was set: it can run for at most 24 hours.';
        timers.set(ms, label.trim(), announcement.trim());
        return `The timer${label.trim() === '' ? '' : ` for ${label.trim()}`} is set: ${spokenDuration(ms)} from now it is announced aloud by itself.`;
      }
      case 'list': {
        const { running } = timers;
        if (running.length === 0) return 'No timer is running.';
        return `Running: ${running.map((one) => `a ${named(one)} of ${spokenDuration(one.ms)}, ${left(one)} left`).join('; ')}.`;
      }
      case 'cancel': {
        const stopped = timers.cancel(label.trim());
        if (stopped.length > 0)
          return `Cancelled: ${stopped.map((one) => `the ${named(one)}, ${left(one)} before its end`).join('; ')}.`;
        const { running } = timers;
        if (running.length === 0) return 'Nothing was cancelled: no timer is running.';
        return `Nothing was cancelled: no timer has the label "${label.trim()}". Running: ${running.map(named).join(', ')}.`;
      }
    }
  },
};
