import type { FileProgress, PullProgress } from './models/store-pull.ts';

/** Where a download is shown: a terminal gets bars, anything else plain lines. */
export type Screen = { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };

/** A download being shown; `end` leaves the last state standing and must be called also when it failed. */
export type ShownDownload = { show(progress: PullProgress): void; end(): void };

const REDRAW_MS = 100;
/** A line comes when a tenth more is here, but never sooner than this after the last one, and at the latest after that. */
const LINE_MS = 5_000;
const QUIET_MS = 60_000;
const BAR = 24;

/** Shows a download on `screen`; `clock` is in milliseconds. */
export function showDownload(screen: Screen, clock: () => number = () => performance.now()): ShownDownload {
  return screen.isTTY ? bars(screen, clock) : lines(screen, clock);
}

function lines(screen: Screen, clock: () => number): ShownDownload {
  const speed = new Speed(clock);
  let last: { at: number; share: number } | undefined;
  let unsaid: PullProgress | undefined;
  const say = (progress: PullProgress) => {
    screen.write(`${total(progress, speed)}\n`);
    last = { at: clock(), share: share(progress) };
    unsaid = undefined;
  };
  return {
    show(progress) {
      speed.note(progress.bytes);
      unsaid = progress;
      const passed = last === undefined ? Number.POSITIVE_INFINITY : clock() - last.at;
      const grown = share(progress) - (last?.share ?? 0);
      if (passed >= QUIET_MS || (passed >= LINE_MS && grown >= 0.1)) say(progress);
    },
    end() {
      if (unsaid) say(unsaid);
    },
  };
}

function bars(screen: Screen, clock: () => number): ShownDownload {
  const speed = new Speed(clock);
  let drawnAt = Number.NEGATIVE_INFINITY;
  let height = 0;
  let newest: PullProgress | undefined;
  const draw = (progress: PullProgress) => {
    const width = (screen.columns ?? 80) - 1;
    const active = progress.files.filter(({ state }) => state === 'fetching' || state === 'checking');
    const rows = [...active.map(fileRow), total(progress, speed)].map((row) => row.slice(0, width));
    // Up to the first row, and away with all that was drawn.
    const back = height > 0 ? `\x1b[${height}A\x1b[J` : '';
    screen.write(`${back}${rows.join('\n')}\n`);
    height = rows.length;
    drawnAt = clock();
  };
  return {
    show(progress) {
      speed.note(progress.bytes);
      newest = progress;
      if (clock() - drawnAt >= REDRAW_MS) draw(progress);
    },
    end() {
      if (newest) draw(newest);
      newest = undefined;
    },
  };
}

/** Bytes per second since the first bytes were seen; what lay on the disk before does not count. */
class Speed {
  readonly #clock: () => number;
  #start: { at: number; bytes: number } | undefined;
  #bytes = 0;
  constructor(clock: () => number) {
    this.#clock = clock;
  }
  note(bytes: number): void {
    this.#bytes = bytes;
    // Bytes that were wrong are fetched again: the count starts anew.
    if (!this.#start || bytes < this.#start.bytes) this.#start = { at: this.#clock(), bytes };
  }
  /** Undefined during the first second. */
  get perSecond(): number | undefined {
    const { at, bytes } = this.#start ?? { at: 0, bytes: 0 };
    const seconds = (this.#clock() - at) / 1000;
    return seconds < 1 ? undefined : (this.#bytes - bytes) / seconds;
  }
}

const share = ({ bytes, totalBytes }: { bytes: number; totalBytes: number }): number =>
  totalBytes === 0 ? 1 : bytes / totalBytes;
const percent = (of: { bytes: number; totalBytes: number }): string => `${Math.floor(share(of) * 100)} %`.padStart(5);

function fileRow(file: FileProgress): string {
  const filled = Math.floor(share(file) * BAR);
  const name = `${file.id}  ${file.path.split('/').at(-1)}`;
  return `[${'#'.repeat(filled)}${'.'.repeat(BAR - filled)}] ${percent(file)}  ${name}${file.state === 'checking' ? ', checking' : ''}`;
}

function total(progress: PullProgress, speed: Speed): string {
  const { bytes, totalBytes } = progress;
  const rate = speed.perSecond;
  const flow = rate === undefined || bytes === totalBytes ? '' : `, ${megabytes(rate)}/s`;
  const left =
    rate === undefined || rate < 1 || bytes === totalBytes ? '' : `, ${duration((totalBytes - bytes) / rate)} left`;
  return `${percent(progress)}  ${megabytes(bytes)} of ${megabytes(totalBytes)}${flow}${left}`;
}

function duration(seconds: number): string {
  const whole = Math.ceil(seconds);
  const two = (n: number) => String(n).padStart(2, '0');
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** A size for people, such as `845.2 MB` or `4.68 GB`. */
export const megabytes = (bytes: number): string =>
  bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
