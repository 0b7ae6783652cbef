import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { MIC_RATE, readPcm16 } from '../protocol/pcm.ts';
import { decodeFlac } from './flac.ts';
import { resample } from './resample.ts';
import { decodeWav } from './wav.ts';

/** A sound file as the microphone would give it: mono 16 kHz samples, -1 to 1; WAV, FLAC, 16 kHz 16-bit `.raw`, and with sox Ogg and MP3. */
export function readAudioFile(path: string): Float32Array {
  const kind = extname(path).toLowerCase();
  if (kind === '.wav') return resample(decodeWav(readFileSync(path)), MIC_RATE).samples;
  if (kind === '.flac') return resample(decodeFlac(readFileSync(path)), MIC_RATE).samples;
  if (kind === '.raw') return pcm16(readFileSync(path));
  const sox = spawnSync('sox', [path, '-t', 'raw', '-e', 'signed', '-b', '16', '-c', '1', '-r', `${MIC_RATE}`, '-'], {
    maxBuffer: 2 ** 30,
  });
  if (sox.error || sox.status !== 0) {
    throw new Error(`${path} needs the sox program with its ${kind} format (apt-get install sox libsox-fmt-all).`, {
      cause: sox.error ?? sox.stderr.toString(),
    });
  }
  return pcm16(sox.stdout);
}

function pcm16(bytes: Uint8Array): Float32Array {
  return readPcm16(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0);
}
