import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PhraseSettings, phrases } from '../../src/server/conversation/phrases.ts';

const settings: PhraseSettings = { firstPhraseWords: 8, phraseLetters: 200 };

async function* stream(pieces: readonly string[]) {
  yield* pieces;
}

async function cut(pieces: readonly string[], options = settings) {
  const all: { text: string; spoken: string }[] = [];
  for await (const phrase of phrases(stream(pieces), options)) all.push(phrase);
  return all;
}

const spoken = async (text: string, options = settings) =>
  (await cut([text], options)).map((phrase) => phrase.spoken).filter(Boolean);

describe('the first phrase', () => {
  it.each([
    ['ends at the first clause', 'As far as I know, it is a long way from here.', 'As far as I know,'],
    ['ends at a dash', 'That depends – on many things that I do not know.', 'That depends –'],
    ['ends at the sentence when that comes first', 'Hello! How are you?', 'Hello!'],
    ['does not end at a comma after one word', 'Well, I think that is right.', 'Well, I think that is right.'],
    [
      'does not end at the comma of a number',
      'About 1,000 people live there, more or less.',
      'About 1,000 people live there,',
    ],
  ])('%s', async (_, text, first) => {
    expect((await spoken(text))[0]).toBe(first);
  });

  it('ends after a few words when no clause does', async () => {
    expect(await spoken('one two three four five six seven eight nine ten eleven.')).toEqual([
      'one two three four five six seven eight',
      'nine ten eleven.',
    ]);
  });

  it('comes before the next sentence has been read', async () => {
    const read: string[] = [];
    async function* slowly() {
      for (const token of ['It is', ' noon.', ' And', ' now', ' something', ' else.']) {
        read.push(token);
        yield token;
      }
    }
    for await (const phrase of phrases(slowly(), settings)) {
      expect(phrase.text).toBe('It is noon. ');
      break;
    }
    expect(read).toEqual(['It is', ' noon.', ' And']);
  });

  it('stays short while only code has come', async () => {
    const [, , , first] = await cut(['```\ncode\n```\nThat was it, as you see.']);
    expect(first?.spoken).toBe('That was it,');
  });
});

describe('later phrases', () => {
  /** What follows a first phrase that is out of the way. */
  const later = async (text: string, options = settings) => (await spoken(`Yes. ${text}`, options)).slice(1);

  it.each([
    ['titles', 'Dr. Smith met Mrs. Jones. They spoke.', ['Dr. Smith met Mrs. Jones.', 'They spoke.']],
    [
      'e.g. and i.e.',
      'Take fruit, e.g. Apples, i.e. Something round. Good.',
      ['Take fruit, e.g. Apples, i.e. Something round.', 'Good.'],
    ],
    ['initials', 'J. R. Tolkien wrote it. I read it.', ['J. R. Tolkien wrote it.', 'I read it.']],
    ['countries', 'The U.S. Army came. It went.', ['The U.S. Army came.', 'It went.']],
    ['decimals and times', 'Pi is 3.14 at 10:30. Fine.', ['Pi is 3.14 at 10:30.', 'Fine.']],
    ['numbers of things', 'It is No. 5. No. It is not.', ['It is No. 5.', 'No.', 'It is not.']],
    [
      'a.m. in and at the end of a sentence',
      'At 5 a.m. we rise. At 9 p.m. We sleep.',
      ['At 5 a.m. we rise.', 'At 9 p.m.', 'We sleep.'],
    ],
    ['ellipses', 'Well... Let me see… Yes.', ['Well...', 'Let me see…', 'Yes.']],
    [
      'quotes and brackets after the stop',
      'He said "Stop." (I heard it.) Then he left.',
      ['He said "Stop."', '(I heard it.)', 'Then he left.'],
    ],
    ['questions inside a sentence', '"Really?" she asked. He nodded.', ['"Really?" she asked.', 'He nodded.']],
    [
      'stops without spaces in Chinese',
      '今天很好。我们走吧！「好。」他说。',
      ['今天很好。', '我们走吧！', '「好。」', '他说。'],
    ],
    ['lines', 'A heading\nSome text\n\nMore text', ['A heading', 'Some text', 'More text']],
    [
      'lists',
      'We need:\n- milk\n- bread. And butter\n1. First\n2. Second',
      ['We need:', 'milk', 'bread.', 'And butter', '1. First', '2. Second'],
    ],
    ['an end without a stop', 'First. and then nothing', ['First.', 'and then nothing']],
  ])('know %s', async (_, text, expected) => {
    expect(await later(text)).toEqual(expected);
  });

  it('do not tear links and code', async () => {
    expect(await later('Read [this. Now](http://a.example/x "My. Title") and `a. b` too. Done.')).toEqual([
      'Read this. Now and a b too.',
      'Done.',
    ]);
  });

  it('are cut at a clause, then at a word, when they grow too long', async () => {
    const options = { firstPhraseWords: 8, phraseLetters: 40 };
    expect(await later('this goes on and on, and on and on and on without any end at all or so', options)).toEqual([
      'this goes on and on,',
      'and on and on and on without any end at',
      'all or so',
    ]);
    expect(await later('x'.repeat(100), options)).toEqual(['x'.repeat(40), 'x'.repeat(40), 'x'.repeat(20)]);
  });

  it('speak code that is marked like a block but stands in a line', async () => {
    expect(await later('```let it be``` is code. Done.')).toEqual(['let it be is code.', 'Done.']);
  });

  it('show code without speaking it', async () => {
    const all = await cut(['Yes. Try this:\n```js\nlet a = 1. + 2;\n\ncall(a);\n```\nIt works.']);
    expect(all.map((phrase) => phrase.spoken)).toEqual(['Yes.', 'Try this:', '', '', '', '', 'It works.']);
    expect(all.map((phrase) => phrase.text).join('')).toContain('let a = 1. + 2;\n\ncall(a);');
  });
});

describe('thoughts', () => {
  it('are neither shown nor spoken, wherever their tags are cut', async () => {
    const text = '<think>I wonder. Should I?</think>Yes, I should. <think>More</think>Done.';
    for (let at = 1; at < text.length; at++) {
      const all = await cut([text.slice(0, at), text.slice(at)]);
      expect(all.map((phrase) => phrase.text).join('')).toBe('Yes, I should. Done.');
    }
  });

  it('hide the rest when they do not end', async () => {
    expect(await cut(['Hello. <thi', 'nk>never', ' to be heard'])).toEqual([{ text: 'Hello. ', spoken: 'Hello.' }]);
  });

  it('are not seen in what only looks like a tag', async () => {
    expect((await cut(['a <th', 'e b <'])).map((phrase) => phrase.text).join('')).toBe('a <the b <');
  });
});

describe('any text', () => {
  const word = fc.constantFrom(
    'hello',
    'Dr.',
    'e.g.',
    '3.14',
    'etc.',
    'U.S.',
    'end.',
    'so,',
    '–',
    '"Yes."',
    '(no)',
    '...',
    '!',
    '?',
    '。',
    '你好，',
    '\n',
    '\n- ',
    '```',
    '`',
    '[a](',
    ')',
    '**',
    '<think>',
    '</think>',
    '<thi',
    '😀',
    '\ud83d',
    ' ',
    '  ',
    'x'.repeat(30),
    '1.',
    '|',
    '# ',
  );
  const text = fc
    .array(
      fc.oneof(
        word,
        word.map((w) => `${w} `),
      ),
      { maxLength: 40 },
    )
    .map((words) => words.join(''));
  const options = { firstPhraseWords: 4, phraseLetters: 50 };

  it('gives the same phrases however it is cut into tokens', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.array(fc.nat(400), { maxLength: 30 }), async (whole, cuts) => {
        const at = [0, ...cuts.map((c) => c % (whole.length + 1)).sort((a, b) => a - b), whole.length];
        const pieces = at.slice(1).map((end, i) => whole.slice(at[i], end));
        expect(await cut(pieces, options)).toEqual(await cut([whole], options));
      }),
      { numRuns: 500 },
    );
  });

  it('stays within the longest phrase when a clause ends just beyond it', async () => {
    const all = await cut(['?\ud83d你好， "Yes."hello xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx你好，'], options);
    for (const phrase of all) expect(phrase.text.trim().length).toBeLessThanOrEqual(50);
  });

  it('loses nothing and stays within the longest phrase', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (raw) => {
        const whole = raw.replaceAll('think', 'thing');
        const all = await cut([whole], options);
        expect(all.map((phrase) => phrase.text).join('')).toBe(whole);
        for (const phrase of all) if (!whole.includes('```')) expect(phrase.text.trim().length).toBeLessThanOrEqual(50);
      }),
      { numRuns: 500 },
    );
  });
});
