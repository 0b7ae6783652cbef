import { describe, expect, it } from 'vitest';
import type { FileProgress, PullProgress } from '../../../src/server/models/store-pull.ts';
import { showDownload } from '../../../src/server/show-download.ts';

/** 100 MB in two files, of which so many MB are here. */
function progress(megabytes: number): PullProgress {
  const file = (path: string, state: FileProgress['state'], bytes: number): FileProgress => ({
    id: 'tiny',
    path,
    bytes,
    totalBytes: 50e6,
    state,
  });
  const [first, second] = [Math.min(50, megabytes), Math.max(0, megabytes - 50)];
  return {
    bytes: megabytes * 1e6,
    totalBytes: 100e6,
    files: [
      file('onnx/encoder.onnx', first === 50 ? 'done' : 'fetching', first * 1e6),
      file('onnx/decoder.onnx', first === 50 ? 'fetching' : 'waiting', second * 1e6),
    ],
  };
}

function screen(isTTY: boolean) {
  let ms = 0;
  let text = '';
  const shown = showDownload({ write: (more: string) => (text += more), isTTY, columns: 60 }, () => ms);
  return {
    at(seconds: number, megabytes: number) {
      ms = seconds * 1000;
      shown.show(progress(megabytes));
    },
    end: () => shown.end(),
    text: () => text,
  };
}

describe('a download that is shown', () => {
  it('outside of a terminal is one line a tenth, five seconds apart or more, and a last one', () => {
    const { at, end, text } = screen(false);
    for (let i = 0; i <= 100; i++) at(i / 10, i);
    end();
    end();
    expect(text().split('\n')).toEqual([
      '  0 %  0.0 MB of 100.0 MB',
      ' 50 %  50.0 MB of 100.0 MB, 10.0 MB/s, 0:05 left',
      '100 %  100.0 MB of 100.0 MB',
      '',
    ]);
  });

  it('says that a slow one still lives, and how long it takes', () => {
    const { at, text } = screen(false);
    for (let i = 0; i < 120; i++) at(i, i / 100);
    expect(text().split('\n')).toEqual([
      '  0 %  0.0 MB of 100.0 MB',
      '  0 %  0.6 MB of 100.0 MB, 0.0 MB/s, 2:45:40 left',
      '',
    ]);
  });

  it('on a terminal is a bar for each file under way, drawn over the last ones', () => {
    const { at, end, text } = screen(true);
    at(0, 25);
    at(0.01, 26);
    at(2, 75);
    end();
    const [first, second, last] = text().split('\x1b[2A\x1b[J');
    expect(first).toBe('[############............]  50 %  tiny  encoder.onnx\n 25 %  25.0 MB of 100.0 MB\n');
    expect(second).toMatch(
      /^\[#{12}\.{12}\] {2}50 % {2}tiny {2}decoder\.onnx\n 75 % {2}75\.0 MB.*25\.0 MB\/s, 0:01 left\n$/,
    );
    expect(last).toBe(second);
    for (const row of text().split('\n')) expect(row.replace('\x1b[2A\x1b[J', '').length).toBeLessThan(60);
  });
});
