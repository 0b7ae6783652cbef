import { describe, expect, test } from 'vitest';
import { eventText } from '../../../src/client/event-text.ts';
import { formatMs, latencyParts } from '../../../src/client/latency.ts';
import { SpokenText } from '../../../src/client/spoken-text.ts';
import { Transcript } from '../../../src/client/transcript.ts';

function spokenPart(text: SpokenText, samples: number): string | undefined {
  const at = text.at(samples);
  return at && text.text.slice(at.from, at.to);
}

describe('the word that is spoken', () => {
  test('is found in the text as it was written', () => {
    const text = new SpokenText();
    text.append('**Hello**, you! ');
    text.add([
      { text: 'Hello,', start: 0, end: 100 },
      { text: 'you!', start: 120, end: 200 },
    ]);
    expect(spokenPart(text, 50)).toBe('Hello');
    expect(spokenPart(text, 110)).toBe('');
    expect(spokenPart(text, 150)).toBe('you');
    expect(text.at(500)).toEqual({ from: 14, to: 14 });
  });

  test('is skipped where it was written otherwise, and those after it are still found', () => {
    const text = new SpokenText();
    text.append('It is 7:05 now.');
    text.add(
      ['It', 'is', 'seven', 'oh', 'five', 'now'].map((word, i) => ({ text: word, start: i * 10, end: i * 10 + 9 })),
    );
    expect(spokenPart(text, 12)).toBe('is');
    expect(spokenPart(text, 52)).toBe('now');
  });

  test('is not taken for a part of a longer word', () => {
    const text = new SpokenText();
    text.append('there the');
    text.add([{ text: 'the', start: 0, end: 10 }]);
    expect(text.at(5)).toEqual({ from: 6, to: 9 });
  });

  test('waits for a text that comes after it', () => {
    const text = new SpokenText();
    text.add([{ text: 'late', start: 0, end: 10 }]);
    expect(text.at(5)).toBeUndefined();
    text.append('late text');
    expect(spokenPart(text, 5)).toBe('late');
  });
});

describe('the transcript', () => {
  test('shows a turn as it comes in', () => {
    const transcript = new Transcript();
    transcript.apply({ type: 'partial', turn: 1, text: 'what ti' });
    expect(transcript.of(1).user).toEqual({ state: 'partial', text: 'what ti', typed: false });
    transcript.apply({ type: 'user_said', turn: 1, text: 'What time is it?', typed: false });
    transcript.apply({ type: 'reply_text', turn: 1, text: 'It is ' });
    transcript.apply({ type: 'reply_text', turn: 1, text: 'noon.' });
    transcript.apply({ type: 'reply_done', turn: 1, samples: 100 });
    transcript.apply({ type: 'metrics', turn: 1, metrics: { asrMs: 10 } });
    transcript.apply({ type: 'metrics', turn: 1, metrics: { ttsMs: 5 } });
    expect(transcript.of(1)).toMatchObject({ user: { state: 'final' }, reply: { state: 'done' } });
    expect(transcript.of(1).metrics).toEqual({ asrMs: 10, ttsMs: 5 });
    expect(transcript.toText()).toBe('You: What time is it?\n\nAssistant: It is noon.\n');
  });

  test('keeps what was heard of a cut reply apart, whatever still arrives', () => {
    const transcript = new Transcript();
    transcript.apply({ type: 'reply_text', turn: 2, text: 'One two three' });
    transcript.apply({ type: 'cut', turn: 2, heard: 'One', unheard: 'two three' });
    transcript.apply({ type: 'reply_text', turn: 2, text: ' four' });
    transcript.apply({ type: 'reply_done', turn: 2, samples: 100 });
    expect(transcript.of(2).reply).toEqual({ state: 'cut', heard: 'One', unheard: 'two three' });
    expect(transcript.toText()).toBe('Assistant: One [not heard: two three]\n');
  });

  test('forgets noise, and says what was not understood', () => {
    const transcript = new Transcript();
    transcript.apply({ type: 'partial', turn: 1, text: 'uh' });
    expect(transcript.apply({ type: 'ignored', turn: 1, reason: 'noise' })?.user).toBeUndefined();
    expect(transcript.apply({ type: 'ignored', turn: 1, reason: 'not_understood' })?.user?.state).toBe(
      'not_understood',
    );
    expect(transcript.toText()).toBe('');
  });

  test('takes over the lines of a session that goes on, and keeps the figures', () => {
    const transcript = new Transcript();
    transcript.apply({ type: 'reply_text', turn: 1, text: 'One two' });
    transcript.apply({ type: 'metrics', turn: 1, metrics: { asrMs: 10 } });
    transcript.restore([
      { who: 'user', turn: 1, text: 'Count', typed: true },
      { who: 'assistant', turn: 1, text: 'One', unheard: 'two' },
    ]);
    expect(transcript.of(1)).toMatchObject({
      user: { text: 'Count', typed: true },
      reply: { state: 'cut', heard: 'One', unheard: 'two' },
      metrics: { asrMs: 10 },
    });
  });

  test('saves also what was said before a new session began', () => {
    const transcript = new Transcript();
    transcript.apply({ type: 'user_said', turn: 1, text: 'Old', typed: true });
    transcript.archive();
    transcript.apply({ type: 'user_said', turn: 1, text: 'New', typed: true });
    expect(transcript.toText()).toBe('You: Old\n\nYou: New\n');
    expect(transcript.exchanges).toHaveLength(1);
  });
});

test('the parts of a latency come in the order they happened, without those that did not', () => {
  expect(latencyParts({ ttsMs: 3, endpointMs: 1, userSpeechMs: 9 }).map(({ key, ms }) => [key, ms])).toEqual([
    ['pause', 1],
    ['tts', 3],
  ]);
  expect([formatMs(83.6), formatMs(1234), formatMs(12_600)]).toEqual(['84 ms', '1.2 s', '13 s']);
});

test('the event log never holds what was said', () => {
  for (const message of [
    { type: 'user_said', turn: 1, text: 'secret', typed: false },
    { type: 'cut', turn: 1, heard: 'secret', unheard: 'secret' },
    { type: 'partial', turn: 1, text: 'secret' },
    { type: 'notice', text: 'secret' },
  ] as const) {
    expect(eventText(message) ?? '').not.toContain('secret');
  }
  expect(eventText({ type: 'state', state: 'thinking', turn: 3 })).toBe('state: thinking, turn 3');
});
