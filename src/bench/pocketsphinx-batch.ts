import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { wavFile } from '../server/engines/openai/wav.ts';

export type HeardWord = {
  readonly text: string /** in samples at 16 kHz */;
  readonly start: number;
  readonly end: number;
};

const FRAME = 160;

/** Recognises 16 kHz sounds with Debian's `pocketsphinx_batch` and its general English model; undefined where it is missing. */
export function hearAll(sounds: readonly Float32Array[]): HeardWord[][] | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'voice-chat-hear-'));
  try {
    const at = (name: string) => join(folder, name);
    for (const [i, samples] of sounds.entries()) writeFileSync(at(`${i}.wav`), wavFile(samples, 16_000));
    writeFileSync(at('list'), sounds.map((_, i) => `${i}\n`).join(''));
    const files = ['-ctl', at('list'), '-cepdir', folder, '-cepext', '.wav', '-hypseg', at('segments')];
    const audio = ['-adcin', 'yes', '-adchdr', '44', '-remove_silence', 'no', '-logfn', '/dev/null'];
    const run = spawnSync('pocketsphinx_batch', [...files, ...audio], { stdio: 'ignore' });
    if (run.error || run.status !== 0) return undefined;
    return readFileSync(at('segments'), 'utf8').trimEnd().split('\n').map(wordsOf);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** One line: `id S score T scale A score L score`, then `start score score word` for each, then the end, in frames. */
function wordsOf(line: string): HeardWord[] {
  const fields = line.trim().split(/\s+/);
  const parts = fields.slice(9);
  const words: HeardWord[] = [];
  for (let i = 0; i + 3 < parts.length; i += 4) {
    const text = parts[i + 3]!.replace(/\(\d+\)$/, '');
    if (/^[<[+]/.test(text)) continue;
    words.push({ text, start: Number(parts[i]) * FRAME, end: Number(parts[i + 4] ?? parts.at(-1)) * FRAME });
  }
  return words;
}
