import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/server/engines/contracts.ts';
import { create } from '../../src/server/engines/llama-llm.ts';
import { missing, tinyLlama, tinySettings } from './llama-models.ts';

const good = tinyLlama();
const at = (name: string) => good.replace('.gguf', `-${name}.gguf`);

describe.skipIf(missing)(`a model that cannot be loaded says why, and what to do${missing ?? ''}`, () => {
  it.each([
    ['there is none', () => '/nowhere/model.gguf', /^There is no model file \/nowhere\/model\.gguf\. Fetch it with/],
    [
      'it is no GGUF file',
      () => written(at('page'), Buffer.from('<html>not found</html>')),
      /is not a GGUF file. Name another/,
    ],
    ['it is empty', () => written(at('empty'), Buffer.alloc(0)), /is not a GGUF file/],
    [
      'its end is missing',
      () => written(at('half'), readFileSync(good).subarray(0, 200_000)),
      /cannot be loaded \(.+\)\. Fetch it again/,
    ],
    [
      'its architecture is unknown',
      () => tinyLlama({ architecture: 'oddity' }),
      /if its architecture, "oddity", is newer than node-llama-cpp, use npm install node-llama-cpp@latest/,
    ],
  ])('%s', async (_, file, message) => {
    const opening = create(tinySettings(file()));
    await expect(opening).rejects.toThrow(message);
    await expect(opening).rejects.toBeInstanceOf(EngineError);
    await expect(opening).rejects.toMatchObject({ stage: 'llm' });
  });

  it('it does not fit into memory', async () => {
    const file = tinyLlama({ contextLength: 8_000_000 });
    const opening = create(tinySettings(file, { contextTokens: 8_000_000, conversations: 64 }));
    await expect(opening).rejects.toThrow(
      /does not fit into memory\. Lower llm\.contextTokens \(8000000\), llm\.conversations \(64\)/,
    );
  });

  it('it needs a chat format that this engine does not speak', async () => {
    const file = tinyLlama({ chatTemplate: '{{ "<|channel|>" }}' });
    await expect(create(tinySettings(file))).rejects.toThrow(/speaks in channels.*llm\.engine: openai/);
  });

  it.skipIf(process.platform === 'darwin')('the device is not there', async () => {
    await expect(create(tinySettings(good, { device: 'metal' }))).rejects.toThrow(
      /llm\.device is metal, which does not work here.*set llm\.device to auto/,
    );
  });
});

describe.skipIf(missing)(`a model that can be loaded${missing ?? ''}`, () => {
  it('runs where it says', async () => {
    await using cpu = await create(tinySettings(good, { device: 'cpu', threads: 2 }));
    expect(cpu.runsOn).toBe('CPU, 2 threads');
    await using auto = await create(tinySettings(good, { device: 'auto' }));
    expect(auto.runsOn).toMatch(/^(CPU, 1 thread|CUDA, .+|Vulkan, .+|Metal, .+)$/);
    expect(auto.runsOn).not.toMatch(/llvmpipe|lavapipe|SwiftShader/i);
  });
});

function written(file: string, bytes: Buffer): string {
  writeFileSync(file, bytes);
  return file;
}
