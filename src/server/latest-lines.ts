import type { Line } from '../protocol/messages.ts';

/** The newest of `lines` that together have at most `bytes` bytes as JSON: a long conversation must fit into one message. */
export function latestLines(lines: readonly Line[], bytes: number): Line[] {
  let size = 0;
  const first = lines.findLastIndex((line) => {
    size += Buffer.byteLength(JSON.stringify(line)) + 1;
    return size > bytes;
  });
  return lines.slice(first + 1);
}
