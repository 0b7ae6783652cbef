import { describe, expect, it } from 'vitest';
import { deviceIn } from '../../src/server/engines/whisper/device.ts';
import { heardText } from '../../src/server/engines/whisper/heard-text.ts';

describe('where whisper.cpp computes, by its log', () => {
  it.each([
    [
      'a CUDA card',
      'ggml_cuda_init: found 1 CUDA devices (Total VRAM: 32109 MiB):\n  Device 0: NVIDIA GeForce RTX 5090, compute capability 12.0, VMM: yes\nwhisper_backend_init_gpu: using CUDA0 backend\n',
      { kind: 'CUDA', name: 'NVIDIA GeForce RTX 5090', software: false },
    ],
    [
      'a Vulkan card',
      'ggml_vulkan: Found 1 Vulkan devices:\nggml_vulkan: 0 = AMD Radeon RX 7900 XTX (RADV NAVI31) (radv) | uma: 0 | fp16: 1\nwhisper_backend_init_gpu: using Vulkan0 backend\n',
      { kind: 'Vulkan', name: 'AMD Radeon RX 7900 XTX', software: false },
    ],
    [
      'a program that plays a card',
      'ggml_vulkan: 0 = llvmpipe (LLVM 15.0.6, 256 bits) (llvmpipe) | uma: 0\nwhisper_backend_init_gpu: using Vulkan0 backend\n',
      { kind: 'Vulkan', name: 'llvmpipe', software: true },
    ],
    [
      'a card that could not be started',
      'whisper_backend_init_gpu: using CUDA0 backend\nwhisper_backend_init_gpu: failed to initialize CUDA0 backend\n',
      undefined,
    ],
    [
      'no card',
      'whisper_backend_init_gpu: device 0: CPU (type: 0)\nwhisper_backend_init_gpu: no GPU found\n',
      undefined,
    ],
  ])('%s', (_, log, device) => {
    expect(deviceIn(log)).toEqual(device);
  });
});

describe('what Whisper writes', () => {
  it.each([
    [' What time is it?', 'What time is it?'],
    ['[BLANK_AUDIO]', ''],
    [' (music playing) ', ''],
    [' *sighs* Well, [laughter] all right. ♪', 'Well, all right.'],
    [' ...', ''],
    ['（音楽）こんにちは。', 'こんにちは。'],
  ])('%j is heard as %j', (written, heard) => {
    expect(heardText(written)).toBe(heard);
  });
});
