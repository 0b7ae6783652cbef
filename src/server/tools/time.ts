import { z } from 'zod';
import { timeZoneOf } from './time-zones.ts';
import type { Tool } from './tool.ts';

const args = z.object({
  place: z
    .string()
    .max(100)
    .default('')
    .describe('A city such as "Tokyo" or a time zone such as "Europe/Berlin". Left out: where the user is.'),
});

/** The date, the weekday and the time of day, here or elsewhere. */
export const time: Tool<typeof args> = {
  name: 'time',
  description: 'The current date, weekday and time of day, where the user is or in any city or time zone.',
  args,
  async run({ place }, { clock }) {
    const zone = place.trim() === '' ? clock.timeZone : timeZoneOf(place);
    if (!zone) {
      return `No time zone is known for "${place}". Ask for a large city in the same zone, or for a zone such as Europe/Berlin.`;
    }
    const now = clock.now();
    const format = (options: Intl.DateTimeFormatOptions) =>
      new Intl.DateTimeFormat('en-US', { ...options, timeZone: zone }).format(now).replace(/\s/g, ' ');
    const day = format({ dateStyle: 'full' });
    const hours = format({ hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });
    const halfDay = format({ hour: 'numeric', minute: '2-digit', hourCycle: 'h12' });
    const offset = format({ timeZoneName: 'longOffset' }).replace(/^.*?(GMT|UTC)/, 'UTC');
    const where =
      place.trim() === '' ? `in the user's time zone (${zone}, ${offset})` : `in ${place.trim()} (${zone}, ${offset})`;
    return `It is ${hours} (${halfDay}) on ${day} ${where}.`;
  },
};
