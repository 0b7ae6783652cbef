import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MIC_RATE } from '../protocol/pcm.ts';
import { create } from '../server/engines/silero-vad.ts';
import { readAudioFile } from './audio-files.ts';
import { confirmedAfter } from './onset-lag.ts';
import type { Row, Say } from './row.ts';
import { SHARED_DATA } from './speech-set.ts';

const SOUNDS: Record<string, readonly string[]> = {
  noise: ['speechbrain-noise', 'livekit-keyboard-office'],
  music: ['librosa-music'],
};
/** Root mean squares at which every sound is played: from hardly heard to as loud as a voice nearby. */
const LEVELS = [0.003, 0.01, 0.03, 0.1];
const PIECE = 3 * MIC_RATE;

/** Pieces of 3 s without speech, of real noise and music at four levels, that are believed to be speech with Silero. */
export async function falseAlarms(say: Say): Promise<Row[]> {
  const folder = join(SHARED_DATA, 'noise');
  if (!existsSync(folder)) {
    say('false-alarms is not measured: the recordings (../shared/data) are not here.');
    return [];
  }
  await using vad = await create();
  const rows: Row[] = [];
  for (const [kind, folders] of Object.entries(SOUNDS)) {
    let pieces = 0;
    let alarms = 0;
    for (const file of folders.flatMap((name) => soundFiles(join(folder, name)))) {
      const sound = readAudioFile(file);
      const rms = Math.sqrt(sound.reduce((sum, x) => sum + x * x, 0) / sound.length);
      for (const level of LEVELS) {
        for (let at = 0; at < sound.length; at += PIECE) {
          const piece = sound.slice(at, at + PIECE).map((x) => (x * level) / rms);
          pieces++;
          if ((await confirmedAfter(vad, piece)) !== undefined) alarms++;
        }
      }
    }
    const value = Math.round((10_000 * alarms) / pieces) / 100;
    rows.push({ id: `false-alarms-${kind}`, unit: '%', n: pieces, value });
  }
  return rows;
}

const soundFiles = (folder: string): string[] =>
  readdirSync(folder)
    .filter((name) => /\.(wav|ogg|flac)$/.test(name))
    .map((name) => join(folder, name));
