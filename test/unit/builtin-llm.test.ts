import { beforeAll, describe, expect, it } from 'vitest';
import { sampleSentences } from '../../src/server/engines/builtin/sentences.ts';
import { STORIES } from '../../src/server/engines/builtin/stories.ts';
import { create } from '../../src/server/engines/builtin-llm.ts';
import type { ChatMessage, ChatModel } from '../../src/server/engines/contracts.ts';
import { replyOf, request, user } from '../contracts/llm-suite.ts';

let model: ChatModel;
beforeAll(async () => {
  model = await create({ now: () => new Date(2026, 10, 22, 18, 5) });
});

const assistant = (content: string): ChatMessage => ({ role: 'assistant', content });
const reply = (...messages: ChatMessage[]) => replyOf(model, request(...messages));
const one = (text: string) => reply(user(text));

/** A conversation in which each reply is heard whole. */
async function talk(...texts: string[]): Promise<string[]> {
  const history: ChatMessage[] = [];
  const replies: string[] = [];
  for (const text of texts) {
    history.push(user(text));
    replies.push(await reply(...history));
    history.push(assistant(replies.at(-1)!));
  }
  return replies;
}

describe('the built-in brain', () => {
  it.each(['hello', 'who are you', 'what can you do', 'are you a language model'])(
    'says to "%s" that it is a stand-in',
    async (text) => {
      expect(await one(text)).toMatch(/stand-in without a language model/);
    },
  );

  it.each([
    ['What time is it?', 'It is six oh five in the evening.'],
    ['what is the date', 'Today is Sunday, the twenty-second of November, twenty twenty-six.'],
    ['what day is tomorrow', 'Tomorrow is Monday.'],
    ['is it monday today', 'No, today is Sunday.'],
    ['what is twelve times twelve', 'Twelve times twelve is one hundred and forty-four.'],
    ['2+2', 'Two plus two is four.'],
    ['How much is 1/3?', 'One divided by three is about zero point three three.'],
    ['what is five divided by zero', 'Nothing can be divided by zero, not even by me.'],
    ['square seven', 'Seven squared is forty-nine.'],
    ['count to five', 'One, two, three, four, five.'],
    ['count from eight to eleven', 'Eight, nine, ten, eleven.'],
    ['count down from three', 'Three, two, one.'],
    ['Repeat after me: The quick brown Fox!', 'The quick brown Fox!'],
    ['how many hours are in a week', 'A week has one hundred and sixty-eight hours.'],
    [
      'how fast was the last turn',
      'The last turn took six hundred and forty milliseconds from the end of your speech to the first sound of mine.',
    ],
    ['Hello! What time is it?', 'It is six oh five in the evening.'],
  ])('answers "%s"', async (text, answer) => {
    expect(await one(text)).toBe(answer);
  });

  it('says it when there is no latency to tell yet', async () => {
    const asked = request(user('how fast are you'));
    const { engines } = asked.situation;
    expect(await replyOf(model, { ...asked, situation: { engines } })).toMatch(/nothing to measure yet/);
  });

  it('names its engines', async () => {
    expect(await one('which engines do you run')).toContain('I turn it into words with pocketsphinx, en-us.');
  });

  it('counts up to thirty, and not for ever', async () => {
    expect((await one('count to thirty')).match(/[\w-]+/g)).toHaveLength(30);
    expect(await one('count to nine hundred')).toMatch(/That is enough for today\.$/);
  });

  it('tells other stories, each one to two minutes long', async () => {
    const [first, second, third] = await talk('tell me a story', 'tell me another story', 'another story please');
    expect(new Set([first, second, third]).size).toBe(3);
    for (const story of STORIES) expect(story.split(' ').length).toBeGreaterThan(180);
  });

  it('remembers the name', async () => {
    expect((await talk('my name is anna', 'what is the time', 'what is my name')).at(-1)).toBe('Your name is Anna.');
    expect(await one('what is my name')).toMatch(/not told me|do not know/);
  });

  it('turns a statement around', async () => {
    expect(await one('My mother does not listen to me.')).toMatch(/your mother/i);
    expect(await one('i am worried about my job')).toMatch(/your job/);
    expect(await one('you are my best friend')).not.toMatch(/\byour best friend\b.*\byour best friend\b/);
  });

  it('comes back to what was said earlier', async () => {
    const history = [user('i am worried about my job'), assistant('Why?'), user('hm'), assistant('I see.')];
    const replies = await Promise.all(
      ['purple elephants', 'green tables', 'yellow birds fly', 'seventeen doors'].map((odd) =>
        reply(...history, user(odd)),
      ),
    );
    expect(replies.join(' ')).toMatch(/you are worried about your job/);
  });

  it('never says the same twice in a row', async () => {
    for (const text of [
      'i feel sad',
      'my mother does not listen to me',
      'purple elephants',
      'thank you',
      'why',
      'hello',
      'who are you',
    ]) {
      const replies = await talk(text, text, text);
      expect(replies[1]).not.toBe(replies[0]);
      expect(replies[2]).not.toBe(replies[1]);
    }
  });

  it('says the same to the same conversation', async () => {
    expect(await one('i feel lonely')).toBe(await one('i feel lonely'));
  });

  it('writes for the ear: no marks, no digits, no empty slots', async () => {
    for (const sentence of sampleSentences(300, 3)) {
      // The name of an engine is not ours to write out.
      const said = (await one(sentence)).replace('silero v5', 'silero');
      expect(said, sentence).toMatch(/^[A-Z].*[.!?]$/s);
      expect(said, sentence).not.toMatch(/[*_#`{}[\]|<>0-9]|undefined|NaN| {2}/);
    }
  });
});

describe('after a reply that was cut', () => {
  const cut = (content: string): ChatMessage => ({ role: 'assistant', content, cut: true });

  it('goes on counting where it stopped', async () => {
    expect(await reply(user('count to twelve'), cut('One, two, three,'), user('go on'))).toBe(
      'Four, five, six, seven, eight, nine, ten. Eleven, twelve.',
    );
  });

  it('goes on with a story from the sentence that was cut, and to its end', async () => {
    const story = await one('tell me a story');
    const heard = story.split(' ').slice(0, 40).join(' ');
    const rest = await reply(user('tell me a story'), cut(heard), user('go on please'));
    expect(story.endsWith(rest)).toBe(true);
    expect(rest.length).toBeGreaterThan(story.length - heard.length - 1);
    expect(story.slice(0, story.length - rest.length)).toMatch(/[.!?] $/);
  });

  it('goes on again after it was cut again', async () => {
    const history = [user('count to ten'), cut('One, two'), user('go on'), cut('Three, four, five'), user('continue')];
    expect(await reply(...history)).toBe('Six, seven, eight, nine, ten.');
  });

  it('tells where it was', async () => {
    const said = await reply(user('count to six'), cut('One, two, three'), user('where were you'));
    expect(said).toBe('I had got as far as: one two three. And then: Four, five, six.');
  });

  it('begins anew when nothing of it was heard', async () => {
    expect(await reply(user('count to three'), user('go on'))).toBe('One, two, three.');
  });

  it('says that it had finished when it had', async () => {
    expect(await reply(user('count to three'), assistant('One, two, three.'), user('go on'))).toMatch(
      /finished|no more/,
    );
  });

  it('repeats the whole of it', async () => {
    expect(await reply(user('count to four'), cut('One'), user('what did you say'))).toBe('One, two, three, four.');
    expect(await reply(user('hm'), assistant('I see.'), user('say that again'))).toBe('I see.');
  });
});
