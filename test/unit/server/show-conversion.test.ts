import { describe, expect, it } from 'vitest';
import { showConversion } from '../../../src/server/show-conversion.ts';

function screen(isTTY: boolean) {
  let ms = 0;
  let text = '';
  const shown = showConversion({ write: (more: string) => (text += more), isTTY, columns: 40 }, () => ms);
  return {
    at(seconds: number, step: string, done: number) {
      ms = seconds * 1_000;
      shown.show(step, done);
    },
    end: () => shown.end(),
    text: () => text,
  };
}

describe('a conversion that is shown', () => {
  it('outside of a terminal is a line for each step, one when a step takes long, and a last one', () => {
    const { at, end, text } = screen(false);
    at(0, 'speech', 0);
    at(1, 'speech', 0.9);
    at(2, 'frame', 0);
    at(31, 'frame', 0.4);
    at(33, 'frame', 0.45);
    at(34, 'frame', 1);
    end();
    end();
    expect(text().split('\n')).toEqual([
      '  0 %  converting: speech',
      '  0 %  converting: frame',
      ' 45 %  converting: frame',
      '100 %  converting: frame',
      '',
    ]);
  });

  it('in a terminal is one line that changes', () => {
    const { at, end, text } = screen(true);
    at(0, 'speech', 0);
    at(0.05, 'speech', 0.2);
    at(0.2, 'speech', 0.3);
    end();
    expect(text()).toBe('\r\x1b[K  0 %  converting: speech\r\x1b[K 30 %  converting: speech\n');
  });

  it('shows nothing of what never began', () => {
    const { end, text } = screen(true);
    end();
    expect(text()).toBe('');
  });
});
