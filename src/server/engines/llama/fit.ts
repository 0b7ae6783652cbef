import type { Said, Talk } from './talk.ts';

/** How many tokens a text has. */
export type CountTokens = (text: string) => number;

/** What the format adds to a message, at most. */
const AROUND = 16;
const LEFT_OUT = ' […] ';

/**
 * The talk, shortened to `room` tokens: the system's text stays, the oldest exchanges go. They go in blocks, so that the
 * prompt then begins the same for many turns; where the blocks end depends only on what was said, never on when it is asked.
 * A message too long for itself loses its middle.
 */
export function fitted({ system, said }: Talk, room: number, count: CountTokens): Talk {
  // How much one message may take: less only when even the newest exchange alone is too long.
  for (let share = 1; ; share /= 2) {
    const most = Math.max(8, Math.floor(room * share));
    const short = shortened(system, most, count);
    const messages = said.map((message) => ({ ...message, content: shortened(message.content, most, count) }));
    const left = room - count(short) - AROUND;
    const kept = recent(messages, left, count);
    const total = kept.reduce((sum, message) => sum + sizeOf(message, count), 0);
    if (total <= left || most === 8) return { system: short, said: kept };
  }
}

function recent(said: readonly Said[], room: number, count: CountTokens): Said[] {
  let first = 0;
  let total = 0;
  said.forEach((message, i) => {
    total += sizeOf(message, count);
    if (total <= room) return;
    while (first < i && (total > room / 2 || said[first]!.role !== 'user')) total -= sizeOf(said[first++]!, count);
  });
  while (said[first]?.role === 'assistant') first++;
  return said.slice(first);
}

const sizeOf = ({ content, note }: Said, count: CountTokens): number => count(content + (note ?? '')) + AROUND;

/** The text's beginning and end, together at most `most` tokens. */
function shortened(text: string, most: number, count: CountTokens): string {
  let size = count(text);
  let short = text;
  for (let letters = text.length; size > most && letters > 8; size = count(short)) {
    letters = Math.floor(Math.min(letters * 0.9, (letters * most) / size));
    const half = Math.floor(letters / 2);
    short = text.slice(0, half) + LEFT_OUT + text.slice(text.length - half);
  }
  return short;
}
