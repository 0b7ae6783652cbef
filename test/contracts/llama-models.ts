import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import { type TinyLlama, writeTinyLlama } from '../../src/bench/tiny-models/tiny-llama.ts';
import type { LlamaSettings } from '../../src/server/engines/llama-llm.ts';
import { notInstalled } from '../fixtures/installed.ts';

/** Why models cannot be talked to here, to be said in a skipped test's name; undefined where they can. */
export const missing = notInstalled('node-llama-cpp', '@huggingface/jinja');

const folder = mkdtempSync(join(tmpdir(), 'voice-chat-llama-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let models = 0;

/** The path of a newly written model with random weights. */
export function tinyLlama(made: TinyLlama = {}): string {
  const file = join(folder, `tiny-${++models}.gguf`);
  writeTinyLlama(file, made);
  return file;
}

/** A small real model that tells toy stories; undefined where the recordings are not. */
export const stories: string | undefined = [
  fileURLToPath(new URL('../../../shared/data/models/stories260K/stories260K-f32.gguf', import.meta.url)),
].find((file) => existsSync(file));

/** Settings for a tiny model: on the CPU, the same replies each time. */
export const tinySettings = (file: string, other: Partial<LlamaSettings> = {}): LlamaSettings => ({
  file,
  device: 'cpu',
  gpuLayers: 0,
  contextTokens: 1_024,
  conversations: 2,
  threads: 0,
  temperature: 0.7,
  maxTokens: 40,
  thinking: false,
  seed: 7,
  ...other,
});
