import { describe, expect, it } from 'vitest';
import { pieces } from '../../src/server/engines/text/pieces.ts';
import { spokenWords } from '../../src/server/engines/text/spoken-form.ts';

const said = (phrase: string) =>
  spokenWords(phrase)
    .flatMap(({ tokens }) => tokens.map(({ name, punctuation }) => name + punctuation))
    .join(' ');

describe('what is said for what is written', () => {
  it.each([
    ['12', 'twelve'],
    ['1,234.50', 'one thousand two hundred thirty four point five zero'],
    ['-5', 'minus five'],
    ['.5', 'zero point five'],
    ['007', 'zero zero seven'],
    ['1000000', 'one million'],
    ['the 22nd', 'the twenty second'],
    ['the 1990s', 'the nineteen nineties'],
    ['½ of 2½', 'a half of two and a half'],
    ['3/4', 'three quarters'],
    ['10-20 people', 'ten to twenty people'],
    ['call 555-1234', 'call five five five, one two three four'],
  ])('numbers: %s', (written, spoken) => expect(said(written)).toBe(spoken));

  it.each([
    ['It is 3:30.', 'It is three thirty.'],
    ['at 3:05 p.m.', 'at three oh five P.M..'],
    ['at 10:15am', 'at ten fifteen A.M.'],
    ['at 9:00', "at nine o'clock"],
    ['5 am', 'five A.M.'],
    ['I am 5', 'I am five'],
    ['2024-05-06', 'May sixth twenty twenty four'],
    ['May 5th, 1905', 'May fifth, nineteen oh five'],
    ['in 2000', 'in two thousand'],
    ['1500 is 1500', 'one thousand five hundred is one thousand five hundred'],
    ['99:99', 'ninety nine ninety nine'],
  ])('times and dates: %s', (written, spoken) => expect(said(written)).toBe(spoken));

  it.each([
    ['$3.50', 'three dollars and fifty cents'],
    ['$1', 'one dollar'],
    ['$2.5 million', 'two point five million dollars'],
    ['-£20', 'minus twenty pounds'],
    ['€0.99', 'ninety nine cents'],
    ['20%', 'twenty percent'],
    ['21°C', 'twenty one degrees Celsius'],
    ['1 kg, 5 kg', 'one kilogram, five kilograms'],
    ['90km/h', 'ninety kilometers per hour'],
  ])('money and units: %s', (written, spoken) => expect(said(written)).toBe(spoken));

  it.each([
    ['3 + 4 = 7', 'three plus four equals seven'],
    ['12 × 3', 'twelve times three'],
    ['5 - 3', 'five minus three'],
    ['12 / 4', 'twelve divided by four'],
    ['salt & pepper', 'salt and pepper'],
    ['AT&T', 'AT and T'],
    ['C++', 'C plus plus'],
    ['me@example.com', 'me at example dot com'],
    ['yes/no', 'yes or no'],
    ['word—word', 'word, word'],
    ['said — and left', 'said, and left'],
  ])('symbols: %s', (written, spoken) => expect(said(written)).toBe(spoken));

  it.each([
    ['Dr. Smith, Elm St.', 'doctor Smith, Elm street.'],
    ['St. John', 'saint John'],
    ['e.g. this, etc.', 'for example this, et cetera.'],
    ['No. 5', 'number five'],
    ['OK.', 'okay.'],
  ])('abbreviations: %s', (written, spoken) => expect(said(written)).toBe(spoken));

  it.each([
    ['café Zürich', 'cafe Zurich'],
    ['ﬁne straße', 'fine strasse'],
    ['你好 hello', 'hello'],
    ['😀', ''],
    ['**bold** and `code`', 'bold and code'],
    ['“Hi,” he said', 'Hi, he said'],
    ['constructor __proto__', 'constructor proto'],
  ])('other writing: %s', (written, spoken) => expect(said(written)).toBe(spoken));

  it('keeps every written word, also one that has no sound', () => {
    const phrase = 'Look 😀 at "this" – 3:30, 你好!';
    expect(spokenWords(phrase).map((word) => word.text)).toEqual(phrase.split(' '));
  });

  it('does not read endless words to the end', () => {
    expect(said('x'.repeat(10_000)).length).toBeLessThan(120);
    expect(said('7'.repeat(10_000)).split(' ').length).toBeLessThanOrEqual(40);
  });
});

describe('the pieces a phrase is said in', () => {
  const texts = (phrase: string) => pieces(spokenWords(phrase)).map((piece) => piece.map(({ text }) => text).join(' '));

  it('are its sentences', () => {
    expect(texts('Hello, Dr. Smith. How are you? Fine!')).toEqual(['Hello, Dr. Smith.', 'How are you?', 'Fine!']);
  });

  it('keep words without sound, which have their places among the others', () => {
    expect(texts('Good. 😀 Fine! 🎉 🎉')).toEqual(['Good.', '😀 Fine! 🎉 🎉']);
    expect(texts('🎉')).toEqual(['🎉']);
  });

  it('are never very long', () => {
    const long = pieces(spokenWords('and so on '.repeat(100)));
    expect(long.flat()).toHaveLength(300);
    for (const piece of long) expect(piece.length).toBeLessThanOrEqual(40);
  });

  it('end at a comma where a sentence is long', () => {
    const first = texts(`${'one '.repeat(28)}two, three four.`)[0]!;
    expect(first.endsWith('two,')).toBe(true);
  });
});
