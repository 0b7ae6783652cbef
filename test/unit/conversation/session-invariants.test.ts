// Not vitest's expect: over ten thousand conversations it would cost more than the conversations.
import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { TestConversation } from '../../fixtures/conversation.ts';
import { frames, type Mishap, settle } from '../../fixtures/pliable-engines.ts';

/** One thing that a user, a page or an engine does. */
type Step =
  | { do: 'speak' | 'pause'; count: number }
  | { do: 'type' | 'interrupt' | 'reconnect' }
  | { do: 'mic'; mode: 'open' | 'held' | 'off' }
  | { do: 'played'; share: number; back: number; final: boolean }
  | { do: 'engine'; stage: 'vad' | 'asr' | 'llm' | 'tts'; mishap: Mishap }
  | { do: 'tools'; calls: number; before: string; mishap: Mishap }
  | { do: 'announce' }
  | { do: 'transcript'; text: string; understood: boolean }
  | { do: 'wait'; turns: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom('speak', 'pause'), count: fc.integer({ min: 1, max: 14 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('type', 'interrupt', 'reconnect') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('mic'), mode: fc.constantFrom('open', 'open', 'held', 'off') }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('played'),
      share: fc.double({ min: 0, max: 1.2, noNaN: true }),
      back: fc.integer({ min: 0, max: 2 }),
      final: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('engine'),
      stage: fc.constantFrom('vad', 'asr', 'llm', 'tts'),
      mishap: fc.constantFrom<Mishap>('none', 'none', 'fail', 'hang', 'slow'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('tools'),
      calls: fc.integer({ min: 0, max: 3 }),
      before: fc.constantFrom('', 'One two three four.', '<think>which?</think> One two three four. '),
      mishap: fc.constantFrom<Mishap>('none', 'none', 'fail', 'hang', 'slow'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('announce') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('transcript'),
      text: fc.constantFrom('', 'yes', 'tell me more'),
      understood: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), turns: fc.integer({ min: 0, max: 12 }) }) },
) as fc.Arbitrary<Step>;

/** All that is ever said, whichever way it comes. */
const WHOLE = 'One two three four. Five six seven.';

async function perform(talk: TestConversation, step: Step): Promise<void> {
  const { session } = talk;
  switch (step.do) {
    case 'speak':
      return session.hear(frames(step.count, true));
    case 'pause':
      return session.hear(frames(step.count, false));
    case 'type':
      return session.type('typed');
    case 'interrupt':
      return session.interrupt();
    case 'reconnect':
      talk.detach();
      return talk.attach();
    case 'mic':
      return session.setMic(step.mode);
    case 'played': {
      const turn = session.lastTurn - step.back;
      return session.played(turn, Math.round(talk.sent(turn) * step.share), step.final);
    }
    case 'engine':
      talk.script[step.stage] = step.mishap;
      return;
    case 'tools': {
      const { script } = talk;
      script.calls = Array.from({ length: step.calls }, (_, i) => ({ id: `call${i}`, name: 'look', args: i }));
      script.beforeCalls = step.before;
      script.reply = step.calls > 0 && step.before !== '' ? 'Five six seven.' : WHOLE;
      script.tool = step.mishap;
      return;
    }
    case 'announce':
      return session.announce(WHOLE);
    case 'transcript':
      talk.script.transcript = { text: step.text, final: true, understood: step.understood };
      return;
    case 'wait':
      return settle(step.turns);
  }
}

/** What must hold of everything a session ever told, whatever was done to it. */
function check(talk: TestConversation): void {
  const ended = new Set<number>();
  const failed = new Set<number>();
  const positions = new Map<number, number>();
  const words = new Map<number, number>();
  let newest = 0;
  for (const event of talk.events) {
    switch (event.type) {
      case 'reply_text':
      case 'reply_words':
      case 'speech': {
        assert(!ended.has(event.turn), `turn ${event.turn} spoke after its end`);
        assert(event.turn >= newest, 'a reply of an older turn came after a newer one');
        newest = event.turn;
        if (event.type === 'speech') {
          assert.equal(event.position, positions.get(event.turn) ?? 0, 'speech has a gap');
          positions.set(event.turn, event.position + event.samples.length);
        } else if (event.type === 'reply_words') {
          for (const word of event.words) {
            assert(word.start >= (words.get(event.turn) ?? 0), 'words overlap');
            words.set(event.turn, word.end);
          }
        }
        break;
      }
      case 'reply_done':
        assert(!ended.has(event.turn), `turn ${event.turn} ended twice`);
        assert.equal(event.samples, positions.get(event.turn) ?? 0, 'a reply has another length than its speech');
        ended.add(event.turn);
        break;
      case 'flush':
        ended.add(event.turn);
        break;
      case 'error':
        if (event.turn !== undefined) failed.add(event.turn);
        break;
      case 'cut':
        assert(ended.has(event.turn) || failed.has(event.turn), `turn ${event.turn} was cut without a flush`);
        ended.add(event.turn);
    }
  }
  for (const type of ['user_said', 'flush', 'cut', 'metrics', 'reply_done'] as const) {
    const turns = talk.of(type).map((event) => event.turn);
    assert.equal(new Set(turns).size, turns.length, `${type} came twice for a turn`);
  }
  const over = talk.outcomes.map(({ turn }) => turn);
  assert.equal(new Set(over).size, over.length, 'a turn was over twice');
  const turns = talk.session.lines.map((line) => line.turn);
  assert.deepEqual(
    turns,
    [...turns].sort((a, b) => a - b),
    'history is out of order',
  );
  for (const line of talk.session.lines) {
    if (line.who !== 'assistant' || !talk.of('cut').some((event) => event.turn === line.turn)) continue;
    const all = `${line.text} ${line.unheard}`.trim();
    // After a change of the script, a model that had been slow goes on with its second half.
    assert(
      [WHOLE, 'Five six seven.'].some((whole) => whole.startsWith(all)),
      `heard and unheard are not what was said: ${all}`,
    );
  }
}

/** What must hold of everything the chat model is shown: every call has its result, and stands where templates take it. */
function checkRequests(talk: TestConversation): void {
  for (const { messages } of talk.requests) {
    assert.equal(messages[0]?.role, 'user');
    for (const [i, { role, toolCalls = [], content }] of messages.entries()) {
      if (role === 'tool') {
        assert.notEqual(content, '', 'a tool has no result');
        assert(['tool', 'assistant'].includes(messages[i - 1]!.role), 'a result stands apart from its call');
      }
      const results = messages.slice(i + 1, i + 1 + toolCalls.length);
      assert.deepEqual(
        results.map(({ callId }) => callId),
        toolCalls.map(({ id }) => id),
      );
      if (role !== 'tool') assert.notEqual(messages[i + 1 + toolCalls.length]?.role, 'tool', 'a result has no call');
    }
  }
}

describe('whatever is done to a conversation', () => {
  it('keeps its promises', { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const talk = new TestConversation({ leadMs: 300 });
        for (const one of steps) await perform(talk, one);
        await settle(5);
        check(talk);
        checkRequests(talk);

        // Then everything heals: the next turn is answered in full.
        for (const stage of ['vad', 'asr', 'llm', 'tts', 'tool'] as const) talk.script[stage] = 'none';
        // What a slow detector still owes would rightly interrupt.
        await settle(60);
        talk.detach();
        talk.attach();
        for (let i = 0; i < 100 && talk.session.busy; i++) {
          await talk.played(talk.session.lastTurn, talk.sent(talk.session.lastTurn));
        }
        const before = talk.of('reply_done').length;
        await talk.type('still there?');
        for (let i = 0; i < 8; i++) await talk.played(talk.session.lastTurn, talk.sent(talk.session.lastTurn));
        assert.equal(talk.of('reply_done').length, before + 1);
        assert.equal(talk.state, 'listening');
        assert(!talk.session.busy);
        check(talk);
        checkRequests(talk);
        talk.close();
        await settle(2);
      }),
      { numRuns: 10_000 },
    );
  });
});
