const EMOJI = /\p{Extended_Pictographic}|\p{Regional_Indicator}|\p{Emoji_Modifier}|\u200d|\ufe0f|\u20e3/gu;
const ENTITIES: Readonly<Record<string, string>> = {
  amp: ' and ',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  '#39': "'",
};

/**
 * What a voice should say of `text`: no markup, emoji, code blocks or thoughts, links by their text, addresses by their host.
 * Empty when nothing is left that can be spoken.
 */
export function speakable(text: string): string {
  const spoken = plainInline(plainBlocks(withoutHidden(text)))
    .replace(EMOJI, ' ')
    .replace(/([!?])[!?]*\?[!?]*/g, '?')
    .replace(/!{2,}/g, '!')
    .replace(/\.{4,}/g, '...')
    .replace(/([,;:])\1+/g, '$1')
    .replace(/-{2,}/g, ' – ')
    .replace(/\s+/g, ' ')
    .replace(/ ([,;!?]|\.(?!\S))/g, '$1')
    .trim();
  return /[\p{L}\p{N}]/u.test(spoken) ? spoken : '';
}

/** Thoughts, code blocks and comments go as a whole, also when their end is missing. */
function withoutHidden(text: string): string {
  return text
    .replace(/<think(?:ing)?>[\s\S]*?(?:<\/think(?:ing)?>|$)/gi, ' ')
    .replace(/<\/?think(?:ing)?>/gi, ' ')
    .replace(/^[ \t]*(```|~~~)[^`\n]*$[\s\S]*?(?:^[ \t]*\1[^\n]*$|$(?![\s\S]))/gm, '\n')
    .replace(/<!--[\s\S]*?(?:-->|$)/g, ' ');
}

/** Headings, quotes, list marks, rules and tables, which are marked at the beginning of a line. */
function plainBlocks(text: string): string {
  return text
    .split('\n')
    .map((line) => {
      if (/^\s*([-*_=]\s*){3,}$/.test(line) || /^[\s|:-]*-[\s|:-]*$/.test(line)) return '';
      const row = /^\s*\|(.*?)\|?\s*$/.exec(line);
      if (row) {
        const cells = row[1]!.split('|').map((cell) => cell.trim());
        return cells.filter(Boolean).join(', ');
      }
      return line
        .replace(/^\s*(?:>\s*)+/, '')
        .replace(/^\s*#{1,6}\s+/, '')
        .replace(/\s+#+\s*$/, '')
        .replace(/^\s*[-*+•]\s+(\[[ xX]\]\s+)?/, '');
    })
    .join('\n');
}

function plainInline(text: string): string {
  return text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, ' ')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\[([^\]]+)\]\[[^\]]*\]/g, '$1')
    .replace(
      /<?\bhttps?:\/\/(?:[^\s/@<>]*@)?(?:www\.)?([^\s/:?#<>")\]]+)(?::\d+)?[^\s<>")\]]*?(?=[.,;:!?]*(?:[\s<>")\]]|$))>?/gi,
      '$1',
    )
    .replace(/<\/?[a-z][^<>]*>/gi, ' ')
    .replace(/&(amp|lt|gt|quot|apos|nbsp|#39);/gi, (_, name: string) => ENTITIES[name.toLowerCase()]!)
    .replace(/`([^`]*)`/g, (_, code: string) => code.replace(/[(){}[\];]+/g, ' ').replace(/[_.]+/g, ' '))
    .replace(/`+/g, '')
    .replace(/[*_~]{2,}/g, '')
    .replace(/(\d)\s*\*\s*(?=\d)/g, '$1 times ')
    .replace(/(?<=[\p{L}\p{N}])_(?=[\p{L}\p{N}])/gu, ' ')
    .replace(/[*_]/g, '')
    .replace(/[→⇒•▪◦|\\]/g, ' ')
    .replace(/&/g, ' and ');
}
