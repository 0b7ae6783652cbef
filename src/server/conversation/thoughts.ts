const OPEN = /<think(?:ing)?>/i;
const CLOSE = /<\/think(?:ing)?>/i;
const TAGS = ['<think>', '<thinking>', '</think>', '</thinking>'];

/** The tokens without what stands between `<think>` and `</think>`, wherever the tags are cut; an unclosed one hides the rest. */
export async function* withoutThoughts(tokens: AsyncIterable<string>): AsyncGenerator<string, void, undefined> {
  let pending = '';
  let thinking = false;
  for await (const token of tokens) {
    pending += token;
    let shown = '';
    for (;;) {
      const tag = (thinking ? CLOSE : /<\/?think(?:ing)?>/i).exec(pending);
      if (!tag) break;
      if (!thinking) shown += pending.slice(0, tag.index);
      thinking = !thinking && OPEN.test(tag[0]);
      pending = pending.slice(tag.index + tag[0].length);
    }
    // What may yet become a tag has to wait.
    const safe = pending.length - beginningOfTag(pending);
    if (!thinking) shown += pending.slice(0, safe);
    pending = pending.slice(safe);
    if (shown !== '') yield shown;
  }
  if (!thinking && pending !== '') yield pending;
}

/** How many characters at the end of `text` are the beginning of a tag. */
function beginningOfTag(text: string): number {
  const at = text.lastIndexOf('<');
  const tail = at < 0 ? '' : text.slice(at).toLowerCase();
  return tail !== '' && TAGS.some((tag) => tag.startsWith(tail)) ? tail.length : 0;
}
