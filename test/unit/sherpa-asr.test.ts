import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { writeTinyParakeet } from '../../src/bench/tiny-models/asr-parakeet.ts';
import { writeTinyZipformer } from '../../src/bench/tiny-models/asr-zipformer.ts';
import { onnxMetadata } from '../../src/server/engines/onnx/metadata.ts';
import { shownText, writesCapitalsOnly } from '../../src/server/engines/sherpa/asr-text.ts';
import { sentencePieces } from '../../src/server/engines/sherpa/sentence-pieces.ts';
import { create } from '../../src/server/engines/sherpa-asr.ts';

const folder = mkdtempSync(join(tmpdir(), 'voice-chat-tiny-'));
afterAll(() => rmSync(folder, { recursive: true }));
const zipformer = await writeTinyZipformer(join(folder, 'zipformer'));
const parakeet = await writeTinyParakeet(join(folder, 'parakeet'));

describe('what sherpa-onnx wrote, as it is shown', () => {
  it.each([
    ['<|en|><|NEUTRAL|><|Speech|><|withitn|>What time is it?', false, 'What time is it?'],
    [" WHAT'S THE TIME MAY I ASK", true, "What's the time may I ask"],
    ['  OK,   I  SEE ', false, 'OK, I SEE'],
    ["'TIS", true, "'Tis"],
    ['', true, ''],
  ])('%j (capitals only: %j) is %j', (written, capitals, shown) => {
    expect(shownText(written, capitals)).toBe(shown);
  });

  it('knows a model of capitals by its tokens, whatever its special tokens are', () => {
    expect(writesCapitalsOnly('<blk> 0\n<unk> 1\n▁THE 2\nS 3\n[unk] 4\n')).toBe(true);
    expect(writesCapitalsOnly('<blk> 0\n▁The 1\n')).toBe(false);
    expect(writesCapitalsOnly('<blk> 0\n你 1\n')).toBe(false);
  });
});

describe('what is read of model files', () => {
  it('the notes of an ONNX file, without reading all of it', async () => {
    const notes = await onnxMetadata(zipformer.encoder);
    expect(notes.get('model_type')).toBe('zipformer2');
    expect(notes.get('decode_chunk_len')).toBe('32');
  });

  it('the pieces of a SentencePiece model, in order', async () => {
    const pieces = sentencePieces(await readFile(zipformer.bpe));
    expect(pieces.slice(2, 4)).toEqual([
      { piece: '<unk>', score: -2 },
      { piece: '▁LOUD', score: -3 },
    ]);
    expect(() => sentencePieces(Buffer.from('<html>'))).toThrow(/no SentencePiece model/);
  });
});

describe('files that sherpa-onnx would end the process for', () => {
  const open = (family: 'zipformer' | 'parakeet', files: Record<string, string>) =>
    create({ family, files, language: 'en', threads: 1, name: 'tiny' });

  it('are named: one that is missing, is not there, is a page, or was cut', async () => {
    const { joiner: _, ...three } = parakeet;
    await expect(open('parakeet', three)).rejects.toThrow('The parakeet model tiny has no file for its joiner.');
    const none = { ...parakeet, decoder: join(folder, 'none.onnx') };
    await expect(open('parakeet', none)).rejects.toThrow(/none.onnx \(decoder of tiny\).*models pull tiny/);
    const own = create({ family: 'parakeet', files: none, language: 'en', threads: 1, name: '/my/model' });
    await expect(own).rejects.toThrow(/decoder of \/my\/model\).*name another model in config\.yml/);
    const whole = await readFile(parakeet.encoder);
    for (const content of ['', '<!DOCTYPE html>', 'version https://git-lfs', whole.subarray(0, whole.length - 1)]) {
      const broken = join(folder, 'broken.onnx');
      await writeFile(broken, content);
      const files = { ...parakeet, encoder: broken };
      await expect(open('parakeet', files)).rejects.toThrow(
        /broken.onnx.*was not downloaded whole.*models verify tiny/,
      );
    }
  });

  it('are named: those of another family', async () => {
    await expect(open('parakeet', zipformer)).rejects.toThrow(/is not of a parakeet model.*its vocab_size/);
    await expect(open('zipformer', parakeet)).rejects.toThrow(/is not of a zipformer model.*its decode_chunk_len/);
  });
});
