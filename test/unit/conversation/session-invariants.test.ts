import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TestConversation } from '../../fixtures/conversation.ts';
import { frames, type Mishap, settle } from '../../fixtures/pliable-engines.ts';

/** One thing that a user, a page or an engine does. */
type Step =
  | { do: 'speak' | 'pause'; count: number }
  | { do: 'type' | 'interrupt' | 'reconnect' }
  | { do: 'mic'; mode: 'open' | 'held' | 'off' }
  | { do: 'played'; share: number; back: number; final: boolean }
  | { do: 'engine'; stage: 'vad' | 'asr' | 'llm' | 'tts'; mishap: Mishap }
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
      do: fc.constant('transcript'),
      text: fc.constantFrom('', 'yes', 'tell me more'),
      understood: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('wait'), turns: fc.integer({ min: 0, max: 12 }) }) },
) as fc.Arbitrary<Step>;

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
  const positions = new Map<number, number>();
  const words = new Map<number, number>();
  let newest = 0;
  for (const event of talk.events) {
    switch (event.type) {
      case 'reply_text':
      case 'reply_words':
      case 'speech': {
        expect(ended.has(event.turn), `turn ${event.turn} spoke after its end`).toBe(false);
        expect(event.turn, 'a reply of an older turn came after a newer one').toBeGreaterThanOrEqual(newest);
        newest = event.turn;
        if (event.type === 'speech') {
          expect(event.position, 'speech has a gap').toBe(positions.get(event.turn) ?? 0);
          positions.set(event.turn, event.position + event.samples.length);
        } else if (event.type === 'reply_words') {
          for (const word of event.words) {
            expect(word.start).toBeGreaterThanOrEqual(words.get(event.turn) ?? 0);
            words.set(event.turn, word.end);
          }
        }
        break;
      }
      case 'reply_done':
        expect(ended.has(event.turn), `turn ${event.turn} ended twice`).toBe(false);
        expect(event.samples).toBe(positions.get(event.turn) ?? 0);
        ended.add(event.turn);
        break;
      case 'flush':
        ended.add(event.turn);
        break;
      case 'cut':
        expect(ended.has(event.turn)).toBe(true);
    }
  }
  for (const type of ['user_said', 'flush', 'cut', 'metrics', 'reply_done'] as const) {
    const turns = talk.of(type).map((event) => event.turn);
    expect(new Set(turns).size, `${type} came twice for a turn`).toBe(turns.length);
  }
  const over = talk.outcomes.map(({ turn }) => turn);
  expect(new Set(over).size, 'a turn was over twice').toBe(over.length);
  const turns = talk.session.lines.map((line) => line.turn);
  expect(turns, 'history is out of order').toEqual([...turns].sort((a, b) => a - b));
  for (const line of talk.session.lines) {
    if (line.who !== 'assistant' || !talk.of('cut').some((event) => event.turn === line.turn)) continue;
    const all = `${line.text} ${line.unheard}`.trim();
    const whole = 'One two three four. Five six seven.';
    expect(whole.startsWith(all), `heard and unheard are not what was said: ${all}`).toBe(true);
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

        // Then everything heals: the next turn is answered in full.
        for (const stage of ['vad', 'asr', 'llm', 'tts'] as const) talk.script[stage] = 'none';
        // What a slow detector still owes would rightly interrupt.
        await settle(60);
        talk.detach();
        talk.attach();
        const before = talk.of('reply_done').length;
        await talk.type('still there?');
        for (let i = 0; i < 8; i++) await talk.played(talk.session.lastTurn, talk.sent(talk.session.lastTurn));
        expect(talk.of('reply_done').length).toBe(before + 1);
        expect(talk.state).toBe('listening');
        expect(talk.session.busy).toBe(false);
        check(talk);
        talk.close();
        await settle(2);
      }),
      { numRuns: 10_000 },
    );
  });
});
