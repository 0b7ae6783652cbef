import { describe, it } from 'vitest';
import { create } from '../../src/server/engines/silero-vad.ts';
import { vadSuite } from './vad-suite.ts';

// An optional dependency: not every machine has a build of it.
const hasNative = await import('onnxruntime-node').then(
  () => true,
  () => false,
);

if (hasNative) vadSuite('silero on the native runtime', () => create({ runtime: 'native' }));
else describe('silero on the native runtime', () => it.skip('needs onnxruntime-node, which is not here'));
vadSuite('silero on WebAssembly', () => create({ runtime: 'wasm' }));
