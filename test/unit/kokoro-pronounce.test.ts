import { describe, expect, it } from 'vitest';
import { guessed } from '../../src/server/engines/kokoro/letter-to-sound.ts';
import { openPhonemizer } from '../../src/server/engines/kokoro/phonemizer.ts';
import { pronounced } from '../../src/server/engines/kokoro/pronounce.ts';

const WORDS = new Map(
  Object.entries({
    ...{ cat: 'kˈæt', dog: 'dˈɔɡ', house: 'hˈWs', play: 'plˈA', want: 'wˈɑnt', stop: 'stˈɑp', bake: 'bˈAk', us: 'ˌʌs' },
    ...{ carry: 'kˈɛɹi', light: 'lˈIt', happy: 'hˈæpi', old: 'ˈOld', so: 'sˌO', fish: 'fˈɪʃ', i: 'ˌI', he: 'hˌi' },
  }),
);
const say = (word: string) => pronounced(word, (known) => WORDS.get(known));

describe('how a word is said', () => {
  it.each([
    ['Cat', 'kˈæt'],
    ['I', 'ˌI'],
  ])('as the dictionary has it: %s', (word, sound) => expect(say(word)).toBe(sound));

  it.each([
    ['cats', 'kˈæts'],
    ['dogs', 'dˈɔɡz'],
    ['houses', 'hˈWsᵻz'],
    ["dog's", 'dˈɔɡz'],
    ["cats'", 'kˈæts'],
    ['played', 'plˈAd'],
    ['wanted', 'wˈɑntᵻd'],
    ['stopped', 'stˈɑpt'],
    ['baked', 'bˈAkt'],
    ['baking', 'bˈAkɪŋ'],
    ['stopping', 'stˈɑpɪŋ'],
    ['carried', 'kˈɛɹid'],
    ['carries', 'kˈɛɹiz'],
    ['happily', 'hˈæpili'],
    ["he'll", 'hˌiᵊl'],
    ['older', 'ˈOldəɹ'],
  ])('from a stem and its ending: %s', (word, sound) => expect(say(word)).toBe(sound));

  it.each([
    ['lighthouse', 'lˈIthˌWs'],
    ['dogfishes', 'dˈɔɡfˌɪʃᵻz'],
  ])('from two words, the second with less weight: %s', (word, sound) => expect(say(word)).toBe(sound));

  it.each([
    ['GPU', 'ʤˈi pˈi jˈu'],
    ['US', 'jˈu ˈɛs'],
    ['P.M.', 'pˈi ˈɛm'],
    ['xyz', 'ˈɛks wˈI zˈi'],
    ['kph', 'kˈA pˈi ˈAʧ'],
  ])('letter by letter: %s', (word, sound) => expect(say(word === 'xyz' ? 'XYZ' : word)).toBe(sound));

  it('takes a short word in capitals for a word', () => expect(say('SO')).toBe('sˌO'));

  it.each([
    ['zorp', 'zˈɔɹp'],
    ['quandle', 'kwˈændᵊl'],
    ['blation', 'blˈæʃən'],
    ['shimble', 'ʃˈɪmbᵊl'],
    ['grake', 'ɡɹˈAk'],
    ['phrick', 'fɹˈɪk'],
  ])('by rules of thumb, where nothing else helps: %s', (word, sound) => expect(say(word)).toBe(sound));

  it('asks whoever else knows words before it guesses', () => {
    expect(
      pronounced(
        'zorp',
        () => undefined,
        (word) => (word === 'zorp' ? 'zˈOɹp' : undefined),
      ),
    ).toBe('zˈOɹp');
  });

  it('always ends, whatever the letters are', () => {
    for (const word of ['a', 'zzzz', 'q', "'", 'x'.repeat(96), 'aeiou'.repeat(19)]) {
      expect(typeof say(word)).toBe('string');
      expect(typeof guessed(word)).toBe('string');
    }
  });
});

describe('the npm package phonemizer', () => {
  it('is done without where it is not installed', async () => {
    expect(await openPhonemizer(() => Promise.reject(new Error('Cannot find package')))).toBeUndefined();
  });

  it("has its phonemes written as Kokoro's, each word asked for once", async () => {
    const asked: string[] = [];
    const phonemize = async (text: string) => {
      asked.push(text);
      return [{ day: 'dˈeɪ', joy: 'dʒˈɔɪ', go: 'ɡˈoʊ', bird: 'bˈɜːd' }[text] ?? ''];
    };
    const ask = await openPhonemizer(async () => ({ phonemize }));
    const dictionary = await ask!(['day', 'joy', 'go', 'bird', 'none']);
    expect(['day', 'joy', 'go', 'bird', 'none'].map(dictionary)).toEqual(['dˈA', 'ʤˈY', 'ɡˈO', 'bˈɜɹd', undefined]);
    expect(asked).toHaveLength(5);
  });
});
