/** The `data` of each server-sent event in a stream of bytes, however it is cut: CR, LF or both, comments left out. */
export async function* serverSentEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let text = '';
  let data: string[] = [];
  let afterReturn = false;
  for await (const bytes of body) {
    for (const character of decoder.decode(bytes, { stream: true })) {
      // A line feed after a carriage return belongs to it, even when it comes with the next bytes.
      const isSecondHalf = character === '\n' && afterReturn;
      afterReturn = character === '\r';
      if (isSecondHalf) continue;
      if (character !== '\n' && character !== '\r') {
        text += character;
        continue;
      }
      if (text === '') {
        if (data.length > 0) yield data.join('\n');
        data = [];
      } else data.push(...dataOf(text));
      text = '';
    }
  }
  // Some servers close without the last empty line.
  data.push(...dataOf(text));
  if (data.length > 0) yield data.join('\n');
}

function dataOf(line: string): string[] {
  const match = /^data:? ?(.*)$/s.exec(line);
  return match && (line === 'data' || line.startsWith('data:')) ? [match[1]!] : [];
}
