import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkContent } from '../../../src/server/models/check-content.ts';
import { checkKind, checkPath, type Trust } from '../../../src/server/models/check-names.ts';
import { MODELS } from '../../../src/server/models/manifest.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-chat-content-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const latin = (text: string) => Buffer.from(text, 'latin1');

/** A zip archive of empty files, stored. */
function zip(names: readonly string[], comment = ''): Buffer {
  const locals = names.map((name) => {
    const head = Buffer.alloc(30);
    head.writeUInt32LE(0x04034b50);
    head.writeUInt16LE(name.length, 26);
    return Buffer.concat([head, latin(name)]);
  });
  const central = names.map((name) => {
    const head = Buffer.alloc(46);
    head.writeUInt32LE(0x02014b50);
    head.writeUInt16LE(name.length, 28);
    return Buffer.concat([head, latin(name)]);
  });
  const length = (parts: Buffer[]) => parts.reduce((sum, part) => sum + part.length, 0);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt32LE(length(central), 12);
  end.writeUInt32LE(length(locals), 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([...locals, ...central, end, latin(comment)]);
}

function safetensors(json: string, says = json.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeBigUInt64LE(BigInt(says));
  return Buffer.concat([head, latin(json)]);
}

const check = (path: string, bytes: Buffer, trust: Trust = {}) => {
  const file = join(folder, 'file');
  writeFileSync(file, bytes);
  return checkContent(file, path, trust);
};

describe('the bytes of a file', () => {
  it.each([
    ['model.gguf', latin('GGUF\x03\0\0\0')],
    ['ggml-tiny.bin', latin('lmgg\0\0')],
    ['voices.bin', Buffer.alloc(64, 7)],
    ['model.safetensors', safetensors('{"a":1}')],
    ['model.safetensors', safetensors(`{"a":1${' '.repeat(633)}}`)],
    ['model.onnx', latin('\x08\x07\x12\x07')],
    ['tokens.txt', Buffer.alloc(0)],
    ['voices.bin', zip(['af.npy', 'am.npy'])],
    ['config.json', latin(' {"a": 1}')],
  ])('of %s are taken (%#)', async (path, bytes) => {
    await check(path, bytes);
  });

  it.each<[string, Buffer, RegExp]>([
    ['model.gguf', latin('GGML\x03\0\0\0'), /not a GGUF/],
    ['model.gguf', latin('GG'), /not a GGUF/],
    ['ggml-tiny.bin', latin('ggml\0\0'), /not a model of whisper\.cpp/],
    ['model.safetensors', safetensors('{"a":1}', 99), /not a safetensors/],
    ['model.safetensors', latin('{'), /not a safetensors/],
    ['model.onnx', latin('<!doctype html>'), /not an ONNX/],
    ['model.onnx', Buffer.alloc(0), /not an ONNX/],
    ['config.json', latin('<!doctype html>'), /not JSON/],
    ['tokens.txt', latin('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'), /git's pointer/],
    ...[2, 3, 4, 5].map((n): [string, Buffer, RegExp] => ['a.bin', Buffer.from([0x80, n, 0x7d]), /pickle/]),
    ['model.onnx', zip(['archive/data.pkl', 'archive/data/0']), /pickle/],
    ['model.bin', zip(['archive/data.pkl'], 'a comment'), /pickle/],
    ['model.txt', zip(['a', 'b']).subarray(0, 40), /pickle/],
  ])('of %s are refused (%#)', async (path, bytes, sentence) => {
    await expect(check(path, bytes)).rejects.toThrow(sentence);
  });

  it("of PyTorch's own kind are taken only where the manifest names them", async () => {
    const pickle = zip(['archive/data.pkl', 'archive/data/0']);
    const known = { sha256: '0'.repeat(64) };
    await check('Wan2.1_VAE.pth', pickle, known);
    await expect(check('Wan2.1_VAE.pth', pickle)).rejects.toThrow(/pickle/);
    await expect(check('Wan2.1_VAE.bin', pickle, known)).rejects.toThrow(/pickle/);
    checkKind('Wan2.1_VAE.pth', known);
    expect(() => checkKind('Wan2.1_VAE.pth')).toThrow(/can run programs/);
    expect(() => checkKind('setup.py', known)).toThrow(/can run programs/);
  });

  it.each(['unet.pth', 'unet.pt', 'pytorch_model.bin'])(
    'of %s are taken, pickle or not, where our own reader alone opens them',
    async (path) => {
      const pickle = zip(['archive/data.pkl', 'archive/data/0']);
      const restricted = { restricted: true };
      await check(path, pickle, restricted);
      await check(path, Buffer.from([0x80, 2, 0x7d]), restricted);
      checkKind(path, restricted);
      await expect(check(path, pickle, { restricted: false })).rejects.toThrow(/pickle/);
      await expect(check(path, latin('version https://git-lfs'), restricted)).rejects.toThrow(/git's pointer/);
      expect(() => checkKind(path, { restricted: false })).toThrow(/can run programs/);
    },
  );

  it('of programs and of other formats are refused, whoever opens them', async () => {
    expect(() => checkKind('setup.py', { restricted: true })).toThrow(/can run programs/);
    const pickle = Buffer.from([0x80, 2, 0x7d]);
    await expect(check('voices.raw', pickle, { restricted: true })).rejects.toThrow(/pickle/);
  });
});

describe('every file of the manifest', () => {
  it('may be fetched', () => {
    for (const { file } of MODELS.flatMap(({ files }) => files.map((file) => ({ file })))) {
      checkPath(file.path);
      checkKind(file.path, file);
    }
  });
});
