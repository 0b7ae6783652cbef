import { execFileSync } from 'node:child_process';
import { describe, it } from 'vitest';
import { openMuxer } from '../../src/server/video/mux/open-muxer.ts';
import { childrenNamed } from '../fixtures/children.ts';
import { muxerSuite } from './muxer-suite.ts';

const signal = new AbortController().signal;

function runs(program: string): boolean {
  try {
    execFileSync(program, ['-version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

if (runs('ffmpeg') && runs('ffprobe')) {
  muxerSuite(
    'ffmpeg',
    () => openMuxer('ffmpeg', { offline: true }, signal),
    () => childrenNamed('ffmpeg'),
  );
  const inProcess = await openMuxer('webcodecs', {}, signal).catch(() => undefined);
  if (inProcess) {
    muxerSuite(
      'webcodecs',
      async () => inProcess,
      async () => [],
    );
  } else {
    describe('webcodecs', () => it.skip('needs @napi-rs/webcodecs, which is optional and not installed here'));
  }
} else {
  describe('the muxer', () => it.skip('needs ffmpeg, which is not installed here'));
}
