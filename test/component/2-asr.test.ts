import { describe, expect, it } from 'vitest';
import { pocketsphinx } from '../fixtures/pocketsphinx.ts';
import { synthesise } from '../fixtures/speech.ts';

const { create, missing } = await pocketsphinx();

describe('2: speech recognition, pocketsphinx', () => {
  it.skipIf(missing)(`writes down what is said, word by word${missing ?? ''}`, async () => {
    await using asr = await create();
    const { samples } = await synthesise('How much is seven times eight?', 'awb');
    async function* chunks() {
      for (let at = 0; at < samples.length; at += 512) yield samples.slice(at, at + 512);
    }
    const texts: string[] = [];
    for await (const { text, final } of asr.recognize(chunks(), new AbortController().signal)) {
      texts.push(final ? `final: ${text}` : text);
    }
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.at(-1)).toBe('final: how much is seven times eight');
  });
});
