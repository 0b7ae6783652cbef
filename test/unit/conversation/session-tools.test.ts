import { describe, expect, it } from 'vitest';
import { TestConversation } from '../../fixtures/conversation.ts';
import { frames, settle, WORD_SAMPLES } from '../../fixtures/pliable-engines.ts';

const CALLS = [{ id: 'c1', name: 'look', args: { at: 'sky' } }];
const result = { role: 'tool', content: 'look saw {"at":"sky"}', callId: 'c1' };

/** A conversation whose model calls a tool after "One two three four." */
function calling(): TestConversation {
  const talk = new TestConversation();
  talk.script.beforeCalls = 'One two three four.';
  talk.script.calls = CALLS;
  talk.script.reply = 'Five six seven.';
  return talk;
}

describe('a turn with tools', () => {
  it('is one reply to the user', async () => {
    const talk = calling();
    await talk.type('look');
    const texts = talk.of('reply_text').map(({ text }) => text.trim());
    expect(texts).toEqual(['One two three four.', 'Five six seven.']);
    expect(talk.of('reply_done')).toEqual([{ type: 'reply_done', turn: 1, samples: 7 * WORD_SAMPLES }]);
    expect(talk.session.lines.at(-1)).toEqual({
      who: 'assistant',
      turn: 1,
      text: 'One two three four.\nFive six seven.',
      unheard: '',
    });
  });

  it('speaks what was written before the call while the tool runs', async () => {
    const talk = calling();
    talk.script.tool = 'hang';
    await talk.type('look');
    expect(talk.sent(1)).toBe(4 * WORD_SAMPLES);
    expect(talk.state).toBe('speaking');
  });

  it('keeps calls and results in history, where they happened', async () => {
    const talk = calling();
    await talk.type('look');
    await talk.played(1, 7 * WORD_SAMPLES, true);
    const asked = talk.requests.length;
    talk.script.calls = [];
    await talk.type('and now?');
    const expected = [
      { role: 'user', content: 'look' },
      { role: 'assistant', content: 'One two three four.', toolCalls: CALLS },
      result,
      { role: 'assistant', content: 'Five six seven.' },
      { role: 'user', content: 'and now?' },
    ];
    expect(talk.requests[asked]!.messages).toEqual(expected);
    // What was sent within the turn is the beginning of what is sent later, so that a model need not read it anew.
    expect(expected.slice(0, 3)).toEqual(talk.requests[1]!.messages);
  });

  it('keeps the call of a reply that was cut before it, and of the text what was heard', async () => {
    const talk = calling();
    await talk.type('look');
    await talk.played(1, 2 * WORD_SAMPLES);
    talk.script.calls = [];
    await talk.say('stop');
    expect(talk.requests.at(-1)!.messages).toEqual([
      { role: 'user', content: 'look' },
      { role: 'assistant', content: 'One two', cut: true, toolCalls: CALLS },
      result,
      { role: 'user', content: 'stop' },
    ]);
  });

  it('keeps the call of a reply that was cut after it', async () => {
    const talk = calling();
    await talk.type('look');
    await talk.played(1, 5 * WORD_SAMPLES);
    talk.script.calls = [];
    await talk.say('stop');
    expect(talk.requests.at(-1)!.messages.slice(1, 4)).toEqual([
      { role: 'assistant', content: 'One two three four.', toolCalls: CALLS },
      result,
      { role: 'assistant', content: 'Five', cut: true },
    ]);
  });

  it('keeps a call of which nothing but the call came', async () => {
    const talk = calling();
    talk.script.beforeCalls = '';
    talk.script.tool = 'hang';
    await talk.type('look');
    expect(talk.state).toBe('thinking');
    talk.script.calls = [];
    await talk.type('never mind');
    expect(talk.requests.at(-1)!.messages).toEqual([
      { role: 'user', content: 'look' },
      { role: 'assistant', content: '', toolCalls: CALLS },
      { ...result, content: expect.stringContaining('stopped') },
      { role: 'user', content: 'never mind' },
    ]);
  });

  it('starts a shortened history with a user, never with a result', async () => {
    const talk = calling();
    for (let i = 1; i <= 12; i++) {
      await talk.type(`question ${i}`);
      await talk.played(i, 7 * WORD_SAMPLES, true);
    }
    const short = new Set(talk.requests.map(({ messages }) => messages[0]!.role));
    expect([...short]).toEqual(['user']);
  });
});

describe('what a session says by itself', () => {
  const said = (talk: TestConversation) => talk.of('reply_text').map(({ turn, text }) => [turn, text]);

  it('is a turn without a question, spoken, in history', async () => {
    const talk = new TestConversation();
    await talk.type('hello');
    await talk.played(1, 7 * WORD_SAMPLES, true);
    talk.session.announce('Your tea is ready.');
    await settle();
    expect(talk.sent(2)).toBe(4 * WORD_SAMPLES);
    expect(said(talk).at(-1)).toEqual([2, 'Your tea is ready.']);
    expect(talk.of('user_said')).toHaveLength(1);
    expect(talk.of('metrics').at(-1)!.metrics).not.toHaveProperty('voiceToVoiceMs');
    expect(talk.state).toBe('speaking');
    await talk.played(2, 4 * WORD_SAMPLES, true);
    expect(talk.state).toBe('listening');
    expect(talk.outcomes.at(-1)).toEqual({ turn: 2, outcome: 'completed' });
    await talk.type('thanks');
    expect(talk.requests.at(-1)!.messages.slice(1, 3)).toEqual([
      { role: 'assistant', content: 'One two three four. Five six seven.' },
      { role: 'assistant', content: 'Your tea is ready.' },
    ]);
  });

  it('waits until a reply was heard, and one for the other', async () => {
    const talk = new TestConversation();
    await talk.type('hello');
    talk.session.announce('First.');
    talk.session.announce('Second.');
    await settle();
    expect(talk.session.lastTurn).toBe(1);
    await talk.played(1, 7 * WORD_SAMPLES, true);
    expect(said(talk).at(-1)).toEqual([2, 'First.']);
    await talk.played(2, WORD_SAMPLES, true);
    expect(said(talk).at(-1)).toEqual([3, 'Second.']);
  });

  it('waits while the user speaks, and until that was answered', async () => {
    const talk = new TestConversation();
    await talk.speak();
    talk.session.announce('Your tea is ready.');
    await settle();
    expect(talk.session.lastTurn).toBe(1);
    await talk.pause();
    expect(said(talk).every(([turn]) => turn === 1)).toBe(true);
    await talk.played(1, 7 * WORD_SAMPLES, true);
    expect(said(talk).at(-1)).toEqual([2, 'Your tea is ready.']);
  });

  it('comes after noise that was taken for speech', async () => {
    const talk = new TestConversation();
    await talk.speak();
    talk.session.announce('Your tea is ready.');
    talk.script.transcript = { text: '', final: true, understood: true };
    await talk.pause();
    expect(said(talk)).toEqual([[2, 'Your tea is ready.']]);
  });

  it('is cut like any reply, and remembered as far as it was heard', async () => {
    const talk = new TestConversation();
    talk.session.announce('Your tea is ready.');
    await settle();
    await talk.played(1, 2 * WORD_SAMPLES);
    await talk.say('thanks');
    expect(talk.of('cut')).toEqual([{ type: 'cut', turn: 1, heard: 'Your tea', unheard: 'is ready.' }]);
    expect(talk.requests[0]!.messages[0]).toEqual({ role: 'user', content: 'thanks' });
    await talk.played(2, 7 * WORD_SAMPLES, true);
    expect(said(talk).filter(([, text]) => text === 'Your tea is ready.')).toHaveLength(1);
  });

  it('is said again when the user spoke before any of it was heard, unless silence was wanted', async () => {
    const talk = new TestConversation();
    talk.session.announce('Your tea is ready.');
    await settle();
    await talk.say('hello');
    await talk.played(2, 7 * WORD_SAMPLES, true);
    expect(said(talk).at(-1)).toEqual([3, 'Your tea is ready.']);
    talk.session.interrupt();
    await settle();
    expect(talk.state).toBe('listening');
    expect(talk.session.lastTurn).toBe(3);
  });

  it('waits for a page that is gone, and is said when it comes back', async () => {
    const talk = new TestConversation();
    talk.detach();
    talk.session.announce('Your tea is ready.');
    await settle();
    expect(talk.session.lastTurn).toBe(0);
    talk.attach();
    await settle();
    expect(said(talk)).toEqual([[1, 'Your tea is ready.']]);
    talk.detach();
    await settle();
    talk.attach();
    await settle();
    expect(said(talk).at(-1)).toEqual([2, 'Your tea is ready.']);
  });

  it('lets a cut reply be settled first', async () => {
    const talk = new TestConversation();
    await talk.type('hello');
    await talk.played(1, WORD_SAMPLES);
    let patient = () => {};
    talk.patience = new Promise((resolve) => {
      patient = resolve;
    });
    talk.session.announce('Your tea is ready.');
    talk.session.interrupt();
    await settle();
    expect(talk.sent(2)).toBe(0);
    await talk.played(1, 3 * WORD_SAMPLES, true);
    expect(talk.of('cut')[0]).toMatchObject({ heard: 'One two three' });
    expect(talk.sent(2)).toBe(4 * WORD_SAMPLES);
    patient();
  });

  it('is not said any more when the session has ended', async () => {
    const talk = new TestConversation();
    talk.session.close();
    talk.session.announce('Your tea is ready.');
    await settle();
    expect(talk.events.filter(({ type }) => type === 'reply_text')).toEqual([]);
  });

  it('does not stop the conversation when it cannot be spoken', async () => {
    const talk = new TestConversation();
    talk.script.tts = 'fail';
    talk.session.announce('Your tea is ready.');
    await settle();
    expect(talk.of('error')).toMatchObject([{ stage: 'tts', turn: 1 }]);
    talk.script.tts = 'none';
    talk.session.hear(frames(10, true));
    await talk.pause();
    expect(talk.of('reply_done')).toMatchObject([{ turn: 2 }]);
  });
});
