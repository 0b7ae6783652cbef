import { describe, expect, it } from 'vitest';
import { TestConversation } from '../../fixtures/conversation.ts';
import { frames, settle, WORD_SAMPLES } from '../../fixtures/pliable-engines.ts';

describe('a conversation', () => {
  it('hears an utterance, answers it in speech, and is quiet again', async () => {
    const talk = new TestConversation();
    await talk.say('how are you');
    expect(talk.of('partial').length).toBeGreaterThan(0);
    expect(talk.of('user_said')).toEqual([{ type: 'user_said', turn: 1, text: 'how are you', typed: false }]);
    expect(talk.requests[0]!.messages).toEqual([{ role: 'user', content: 'how are you' }]);
    expect(
      talk
        .of('reply_text')
        .map((event) => event.text)
        .join(''),
    ).toBe('One two three four. Five six seven.');
    expect(talk.of('reply_done')).toEqual([{ type: 'reply_done', turn: 1, samples: 7 * WORD_SAMPLES }]);
    expect(
      talk
        .of('reply_words')
        .flatMap((event) => event.words)
        .at(-1),
    ).toEqual({
      text: 'seven.',
      start: 6 * WORD_SAMPLES,
      end: 7 * WORD_SAMPLES,
    });
    expect(talk.of('metrics')).toHaveLength(1);
    expect(talk.of('metrics')[0]!.metrics).toMatchObject({ endpointMs: 320, voiceToVoiceMs: expect.any(Number) });
    await talk.played(1, 7 * WORD_SAMPLES, true);
    expect(talk.of('state').map((event) => event.state)).toEqual(['hearing', 'thinking', 'speaking', 'listening']);
    expect(talk.outcomes).toEqual([{ turn: 1, outcome: 'completed' }]);
  });

  it('shows the model what was said before, replies included', async () => {
    const talk = new TestConversation({ systemPrompt: 'Be brief.' });
    await talk.say('first');
    await talk.played(1, 7 * WORD_SAMPLES, true);
    await talk.type('second');
    expect(talk.requests[1]!.messages).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'first' },
      { role: 'assistant', content: 'One two three four. Five six seven.' },
      { role: 'user', content: 'second' },
    ]);
  });

  it('flushes a reply that plays when speech is confirmed, and remembers only what was heard', async () => {
    const talk = new TestConversation();
    await talk.say('tell me');
    expect(talk.of('reply_done')).toHaveLength(1);
    await talk.played(1, 2 * WORD_SAMPLES);
    talk.session.hear(frames(3, true));
    await settle();
    expect(talk.of('flush')).toEqual([{ type: 'flush', turn: 1 }]);
    expect(talk.of('cut')).toEqual([]);
    await talk.played(1, 3 * WORD_SAMPLES, true);
    expect(talk.of('cut')).toEqual([
      { type: 'cut', turn: 1, heard: 'One two three', unheard: 'four. Five six seven.' },
    ]);
    await talk.pause();
    expect(talk.requests[1]!.messages[1]).toEqual({ role: 'assistant', content: 'One two three', cut: true });
    expect(talk.outcomes[0]).toEqual({ turn: 1, outcome: 'cut' });
  });

  it('settles a cut reply with what it knows when the page never says what was heard', async () => {
    const talk = new TestConversation();
    await talk.say('tell me');
    await talk.played(1, 2 * WORD_SAMPLES);
    await talk.say('stop');
    expect(talk.of('cut')[0]).toMatchObject({ heard: 'One two', unheard: 'three four. Five six seven.' });
    expect(talk.requests).toHaveLength(2);
  });

  it('cancels a reply that has not begun, and still knows what the user had said', async () => {
    const talk = new TestConversation();
    talk.script.llm = 'hang';
    await talk.say('first half');
    expect(talk.state).toBe('thinking');
    talk.script.llm = 'none';
    await talk.say('second half');
    expect(talk.of('flush')).toEqual([{ type: 'flush', turn: 1 }]);
    expect(talk.requests[1]!.messages.map((message) => message.content)).toEqual(['first half', 'second half']);
  });

  it.each(['asr', 'llm', 'tts'] as const)(
    'is not held up by a %s engine that hangs and ignores its signal',
    async (stage) => {
      const talk = new TestConversation();
      talk.script[stage] = 'hang';
      await talk.say('first');
      talk.script[stage] = 'none';
      await talk.say('second');
      expect(talk.of('user_said').at(-1)).toMatchObject({ turn: 2, text: 'second' });
      expect(talk.of('reply_done')).toMatchObject([{ turn: 2 }]);
    },
  );

  it.each(['vad', 'asr', 'llm', 'tts'] as const)('goes on after the %s engine failed, and says so', async (stage) => {
    const talk = new TestConversation();
    talk.script[stage] = 'fail';
    await talk.say('first');
    expect(talk.of('error')).toMatchObject([{ code: 'engine_failed', stage }]);
    talk.script[stage] = 'none';
    await talk.say('second');
    expect(talk.of('user_said').at(-1)).toMatchObject({ text: 'second' });
    expect(talk.of('reply_done')).toHaveLength(1);
  });

  it('makes no turn of noise, and says that speech was not understood', async () => {
    const talk = new TestConversation({ notUnderstood: 'Pardon me?' });
    await talk.say('');
    expect(talk.of('ignored')).toEqual([{ type: 'ignored', turn: 1, reason: 'noise' }]);
    expect(talk.state).toBe('listening');
    talk.script.transcript = { text: 'gibberish', final: true, understood: false };
    await talk.speak();
    await talk.pause();
    expect(talk.of('ignored')[1]).toEqual({ type: 'ignored', turn: 2, reason: 'not_understood' });
    expect(talk.of('reply_text')).toEqual([{ type: 'reply_text', turn: 2, text: 'Pardon me?' }]);
    expect(talk.requests).toEqual([]);
    await talk.played(2, talk.sent(2), true);
    await talk.say('hello');
    expect(talk.requests[0]!.messages).toEqual([{ role: 'user', content: 'hello' }]);
  });

  it('remembers of a reply that failed what was heard of it, and shows what was not', async () => {
    const talk = new TestConversation({ leadMs: 50 });
    await talk.type('hello');
    talk.script.tts = 'fail';
    await talk.played(1, WORD_SAMPLES);
    const sent = talk.sent(1);
    expect(sent).toBeLessThan(4 * WORD_SAMPLES);
    await talk.played(1, sent, true);
    expect(talk.outcomes).toEqual([{ turn: 1, outcome: 'failed' }]);
    const heard = ['One', 'two', 'three', 'four.'].slice(0, sent / WORD_SAMPLES).join(' ');
    expect(talk.of('cut')).toMatchObject([{ turn: 1, heard }]);
    expect(talk.session.lines.at(-1)).toMatchObject({ text: heard, unheard: expect.stringContaining('four.') });
    await talk.type('and now?');
    expect(talk.requests[1]!.messages[1]).toEqual({ role: 'assistant', content: heard, cut: true });
    // Of this one nothing was heard at all.
    expect(talk.of('cut')[1]).toEqual({ type: 'cut', turn: 2, heard: '', unheard: 'One two three four.' });
    talk.script.tts = 'none';
    await talk.type('still there?');
    expect(talk.requests[2]!.messages.slice(2)).toEqual([
      { role: 'user', content: 'and now?' },
      { role: 'user', content: 'still there?' },
    ]);
  });

  it('says so when the chat model writes nothing, and goes on', async () => {
    const talk = new TestConversation();
    talk.script.reply = ' ';
    await talk.type('say something');
    expect(talk.of('error')).toEqual([
      expect.objectContaining({ stage: 'llm', turn: 1, message: expect.stringContaining('wrote no answer') }),
    ]);
    expect(talk.outcomes).toEqual([{ turn: 1, outcome: 'failed' }]);
    talk.script.reply = 'Here I am.';
    await talk.type('and now?');
    expect(talk.of('reply_done').map(({ turn }) => turn)).toEqual([2]);
    // Being interrupted is no error.
    talk.script.llm = 'hang';
    await talk.type('wait');
    talk.session.interrupt();
    expect(talk.of('error').length).toBe(1);
  });

  it('does not take two frames of noise for speech', async () => {
    const talk = new TestConversation();
    await talk.type('talk to me');
    await talk.speak(2);
    await talk.pause();
    expect(talk.of('flush')).toEqual([]);
    expect(talk.of('state').map((event) => event.state)).not.toContain('hearing');
  });

  it('goes through a pause inside a sentence', async () => {
    const talk = new TestConversation();
    await talk.speak(10);
    await talk.pause(8);
    await talk.speak(10);
    await talk.pause(12);
    expect(talk.of('user_said')).toHaveLength(1);
    expect(talk.of('metrics')[0]!.metrics.userSpeechMs).toBe(28 * 32);
  });

  it('ends a turn that does not end', async () => {
    const talk = new TestConversation({ endpoint: { endSilenceMs: 320, maxSpeechMs: 1_000 } });
    await talk.speak(70);
    expect(talk.of('user_said').length).toBe(2);
  });

  it('takes everything for speech while the talk button is held, and ends the turn when it is let go', async () => {
    const talk = new TestConversation();
    talk.session.setMic('held');
    await talk.pause(40);
    expect(talk.state).toBe('hearing');
    expect(talk.of('user_said')).toEqual([]);
    talk.session.setMic('off');
    await settle();
    expect(talk.of('user_said')).toHaveLength(1);
    expect(talk.of('metrics')[0]!.metrics.endpointMs).toBe(0);
    await talk.speak();
    expect(talk.of('user_said')).toHaveLength(1);
  });

  it('ends the utterance when the microphone is muted', async () => {
    const talk = new TestConversation();
    await talk.speak();
    talk.session.setMic('off');
    await settle();
    expect(talk.of('user_said')).toHaveLength(1);
  });

  it('is interrupted by the button, and by typing', async () => {
    const talk = new TestConversation();
    await talk.type('one');
    talk.session.interrupt();
    talk.session.interrupt();
    await settle();
    expect(talk.of('flush')).toEqual([{ type: 'flush', turn: 1 }]);
    expect(talk.state).toBe('listening');
    await talk.type('two');
    await talk.type('three');
    expect(talk.of('flush').map((event) => event.turn)).toEqual([1, 2]);
    expect(talk.of('user_said').map((event) => event.turn)).toEqual([1, 2, 3]);
  });

  it('shows the model what was heard of a reply that typing cut, though that is known only later', async () => {
    const talk = new TestConversation();
    talk.patience = new Promise(() => {});
    await talk.type('tell me');
    await talk.type('go on');
    expect(talk.requests).toHaveLength(1);
    await talk.played(1, 3 * WORD_SAMPLES, true);
    expect(talk.requests[1]!.messages).toEqual([
      { role: 'user', content: 'tell me' },
      { role: 'assistant', content: 'One two three', cut: true },
      { role: 'user', content: 'go on' },
    ]);
  });

  it('does not wait for ever for a client that does not say what it has played', async () => {
    const talk = new TestConversation();
    let runOut = () => {};
    talk.patience = new Promise((resolve) => {
      runOut = resolve;
    });
    await talk.type('tell me');
    await talk.played(1, 2 * WORD_SAMPLES);
    await talk.type('go on');
    expect(talk.requests).toHaveLength(1);
    runOut();
    await settle();
    expect(talk.requests[1]!.messages[1]).toEqual({ role: 'assistant', content: 'One two', cut: true });
    expect(talk.of('cut')).toMatchObject([{ turn: 1, heard: 'One two' }]);
  });

  it('does not answer what was typed when the user has gone on meanwhile', async () => {
    const talk = new TestConversation();
    talk.patience = new Promise(() => {});
    await talk.type('tell me');
    await talk.type('go on');
    await talk.type('no, stop');
    await talk.played(1, 2 * WORD_SAMPLES, true);
    expect(talk.requests).toHaveLength(2);
    expect(talk.requests[1]!.messages.at(-1)).toEqual({ role: 'user', content: 'no, stop' });
  });

  it('gives an utterance that ends after something was typed the higher id', async () => {
    const talk = new TestConversation();
    await talk.speak();
    await talk.type('typed meanwhile');
    await talk.pause();
    expect(talk.of('user_said').map((event) => [event.turn, event.typed])).toEqual([
      [2, true],
      [3, false],
    ]);
    expect(talk.of('flush')).toEqual([{ type: 'flush', turn: 2 }]);
  });

  it('puts a transcript that comes late before what was typed meanwhile', async () => {
    const talk = new TestConversation();
    talk.script.asr = 'slow';
    talk.script.transcript = { text: 'spoken first', final: true, understood: true };
    await talk.speak();
    talk.session.hear(frames(12, false));
    await settle(4);
    expect(talk.state).toBe('thinking');
    await talk.type('typed second');
    expect(talk.of('user_said').map((event) => event.turn)).toEqual([2, 1]);
    expect(talk.session.lines.map((line) => [line.who, line.turn])).toEqual([
      ['user', 1],
      ['user', 2],
      ['assistant', 2],
    ]);
  });

  it('sends no more than the lead ahead of what was played', async () => {
    const talk = new TestConversation({ leadMs: 500 });
    talk.script.reply = `${Array.from({ length: 60 }, (_, i) => `word${i}`).join(' ')}.`;
    await talk.type('go on');
    const first = talk.sent(1);
    expect(first).toBeGreaterThan(8_000);
    expect(first).toBeLessThanOrEqual(8_000 + 2 * WORD_SAMPLES);
    await talk.played(1, 8_000);
    expect(talk.sent(1)).toBeGreaterThan(first);
    expect(talk.sent(1)).toBeLessThanOrEqual(16_000 + 2 * WORD_SAMPLES);
  });

  it('survives a dropped socket: the reply is cut where it was heard, and the conversation is there again', async () => {
    const talk = new TestConversation();
    await talk.say('before');
    await talk.played(1, WORD_SAMPLES);
    talk.detach();
    await talk.say('nobody listens');
    talk.attach();
    expect(talk.session.lines).toEqual([
      { who: 'user', turn: 1, text: 'before', typed: false },
      { who: 'assistant', turn: 1, text: 'One', unheard: 'two three four. Five six seven.' },
    ]);
    talk.session.setMic('open');
    await talk.say('after');
    expect(talk.of('user_said').at(-1)).toMatchObject({ text: 'after' });
  });

  it('tells nothing once it is closed', async () => {
    const talk = new TestConversation();
    await talk.speak();
    talk.session.close();
    talk.session.close();
    const told = talk.events.length;
    await talk.pause();
    await talk.type('hello?');
    expect(talk.events.length).toBe(told);
  });

  it('takes a last report in the middle of a reply for a cut, and one of nothing for a page without a speaker', async () => {
    const talk = new TestConversation();
    await talk.type('one');
    await talk.played(1, 3 * WORD_SAMPLES, true);
    expect(talk.of('cut')).toMatchObject([{ turn: 1, heard: 'One two three' }]);
    await talk.type('two');
    await talk.played(2, 0, true);
    expect(talk.outcomes.map(({ outcome }) => outcome)).toEqual(['cut', 'completed']);
  });

  it('ignores reports about turns that it does not know', async () => {
    const talk = new TestConversation();
    await talk.played(7, 100, true);
    await talk.type('hello');
    await talk.played(9, 5);
    expect(talk.of('cut')).toEqual([]);
  });
});
