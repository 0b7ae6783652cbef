import { describe, expect, it } from 'vitest';
import { ASR_ROLES } from '../../src/server/engines/sherpa/asr-files.ts';
import { MODELS } from '../../src/server/models/manifest.ts';
import { LANGUAGES, type ModelEntry } from '../../src/server/models/model-entry.ts';

/** What each family's engine cannot do without. */
const NEEDED: Readonly<Record<ModelEntry['family'], readonly string[]>> = {
  ...ASR_ROLES,
  'whisper-ggml': ['model'],
  gguf: ['model'],
  kokoro: ['model', 'voices', 'tokens', 'espeak'],
  kitten: ['model', 'voices', 'tokens', 'espeak'],
  vits: ['model', 'tokens', 'espeak'],
  matcha: ['model', 'vocoder', 'tokens', 'espeak'],
  wan22: ['base', 'high-noise', 'low-noise'],
  musetalk: ['unet', 'unetConfig', 'vae', 'vaeConfig', 'whisper', 'whisperConfig', 'parser', 'pose'],
};

describe.each(MODELS.map((model) => [model.id, model] as const))('%s', (id, model) => {
  it('has an id that no other model has', () => {
    expect(id).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
    expect(MODELS.filter((other) => other.id === id)).toHaveLength(1);
  });

  it('has a file for all that its engine needs', () => {
    const roles = model.files.map(({ role }) => role);
    expect(roles).toEqual(expect.arrayContaining([...NEEDED[model.family]]));
    // Several files of one role are a folder's: espeak-ng's data, and what Wan2.2's experts share.
    const single = roles.filter((role) => role !== 'espeak' && role !== 'base');
    expect(new Set(single).size).toBe(single.length);
  });

  it('is pinned to a commit, or says that it is not', () => {
    const revisions = [model.revision, ...model.files.flatMap(({ revision }) => revision ?? [])];
    for (const revision of revisions) expect(revision).toMatch(/^([0-9a-f]{40}|main)$/);
    for (const repo of [model.repo, ...model.files.flatMap((file) => file.repo ?? [])]) {
      expect(repo).toMatch(/^[\w.-]+\/[\w.-]+$/);
    }
  });

  it('has sizes and checksums of the right form, which add up', () => {
    for (const { path, sha256, bytes } of model.files) {
      expect(path).toMatch(/^[\w./-]+$/);
      if (sha256 !== undefined) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      if (bytes !== undefined) expect(bytes).toBeGreaterThan(0);
    }
    const known = model.files.reduce((sum, { bytes = 0 }) => sum + bytes, 0);
    expect(known).toBeLessThanOrEqual(model.totalBytes);
    if (model.files.every(({ bytes }) => bytes !== undefined)) expect(known).toBe(model.totalBytes);
  });

  it('holds weights in formats that cannot run programs', () => {
    const weights = model.files.filter(({ role }) => !/^(tokens|lexicon|espeak|rule-)/.test(role));
    // A pickle only where its very bytes are named.
    for (const { path, sha256 } of weights.filter(({ path }) => !/\.json$|spiece\.model$/.test(path))) {
      const pinned = sha256 === undefined ? '' : '|\\.pth';
      expect(path).toMatch(new RegExp(`(\\.onnx|\\.gguf|\\.safetensors|voices\\.bin|ggml-.+\\.bin${pinned})$`));
    }
  });

  it('says its licence, its languages and its needs', () => {
    expect(model.licence).not.toBe('');
    expect(model.languages.length).toBeGreaterThan(0);
    expect(model.memoryBytes).toBeGreaterThan(model.totalBytes / 2);
    expect(model.quality).toBeGreaterThan(0);
    expect(model.quality).toBeLessThanOrEqual(100);
  });
});

it.each(LANGUAGES)('every stage has a model for %s', (language) => {
  for (const stage of ['asr', 'llm', 'tts'] as const) {
    const models = MODELS.filter((model) => model.stage === stage && model.languages.includes(language));
    expect(models, stage).not.toEqual([]);
  }
});

it.each(['asr', 'llm', 'tts'] as const)('lists the models of %s best first', (stage) => {
  const qualities = MODELS.filter((model) => model.stage === stage).map(({ quality }) => quality);
  expect(qualities).toEqual([...qualities].sort((a, b) => b - a));
});
