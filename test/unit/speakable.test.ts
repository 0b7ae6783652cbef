import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { speakable } from '../../src/server/conversation/speakable.ts';

describe('what a voice says', () => {
  it.each([
    ['plain text', 'It is noon.', 'It is noon.'],
    ['emphasis', 'This is **very** _important_, *really* ~~no~~ __yes__.', 'This is very important, really no yes.'],
    ['emphasis that is cut', '**First sentence.', 'First sentence.'],
    ['products', '2*3 and 4 * 5', '2 times 3 and 4 times 5'],
    ['headings', '## The plan ##', 'The plan'],
    ['quotes', '> > She said so.', 'She said so.'],
    ['lists', '- [x] milk\n* bread\n1. first', 'milk bread 1. first'],
    ['rules', 'a\n\n---\n\nb', 'a b'],
    ['tables', '| City | Mood |\n|---|:-:|\n| Rome | good |', 'City, Mood Rome, good'],
    ['links', 'Read [the guide](https://example.org/a?b=c).', 'Read the guide.'],
    ['images', 'See ![a cat](cat.png) here', 'See here'],
    [
      'addresses',
      'Go to https://www.example.com/a/b?c=d#e, or <http://user@host.example:80/x>.',
      'Go to example.com, or host.example.',
    ],
    ['code in a sentence', 'Call `read_file()` and `a.b`', 'Call read file and a b'],
    ['snake case', 'the snake_case_name', 'the snake case name'],
    ['code blocks', 'So:\n```js\nlet a = 1;\n```\nDone.', 'So: Done.'],
    ['code blocks without an end', 'So:\n```\nlet a', 'So:'],
    ['thoughts', '<think>hm\nhm</think>Yes. <thinking>no</thinking>', 'Yes.'],
    ['thoughts without an end', 'Yes. <think>hm', 'Yes.'],
    ['tags', 'a<br/>b <b class="x">bold</b> <!-- hidden --> c', 'a b bold c'],
    ['comparisons', 'if a < b and c > d', 'if a < b and c > d'],
    ['entities', 'salt &amp; pepper &nbsp;&quot;x&quot;', 'salt and pepper "x"'],
    ['ampersands', 'R&D', 'R and D'],
    ['emoji', 'Great 😀👍🏽 👨‍👩‍👧 🇩🇪 1️⃣ ❤️!', 'Great 1!'],
    ['repeated punctuation', 'What?!?! No!!! So..... fine,, yes -- or no', 'What? No! So... fine, yes – or no'],
    ['numbers', 'It costs 1,000.50 at 10:30, 5 % off.', 'It costs 1,000.50 at 10:30, 5 % off.'],
    ['other scripts', '今天**很**好。', '今天很好。'],
  ])('of %s', (_, written, spoken) => {
    expect(speakable(written)).toBe(spoken);
  });

  it.each(['', '   ', '😀 🎉', '---', '***', '...', '```\ncode\n```', '|---|', '<br>', '“ ”'])(
    'is nothing for %j',
    (written) => {
      expect(speakable(written)).toBe('');
    },
  );

  it('never holds a mark that would be read aloud, whatever was written', () => {
    const piece = fc.constantFrom(
      '**',
      '*',
      '_',
      '`',
      '```',
      '\n',
      '# ',
      'word',
      ' ',
      '😀',
      '|',
      '[a](b)',
      '<b>',
      '~~',
      '- ',
      '5',
      '.',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) => {
        const spoken = speakable(pieces.join(''));
        expect(spoken).not.toMatch(/[*_`|]|\p{Extended_Pictographic}|\s{2}|\n/u);
        expect(spoken).toBe(spoken.trim());
      }),
      { numRuns: 1000 },
    );
  });
});
