/** One figure of the benchmark; what does not apply is left out. */
export type Row = {
  readonly id: string;
  readonly unit: string;
  /** How many measurements. */
  readonly n: number;
  readonly p50?: number;
  readonly p90?: number;
  readonly p95?: number;
  readonly p99?: number;
  readonly worst?: number;
  /** The figure itself, where it is one number. */
  readonly value?: number;
  readonly bar?: string;
  readonly ok?: boolean;
  /** The same figure of a plainer way, in the same run. */
  readonly baseline?: number;
};

/** What a row prints before its figures, such as the parts of a latency. */
export type Say = (line: string) => void;

/** Measures one or more rows that belong together. */
export type Bench = {
  readonly ids: readonly string[];
  readonly run: (say: Say) => Promise<Row[]>;
};

/** The given percentile (0 to 100) by the nearest rank. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const rank = Math.min(sorted.length - 1, Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1));
  return sorted[rank] ?? Number.NaN;
}

/** Median, percentiles and worst of many measurements, rounded to two decimals. */
export function spread(values: readonly number[]): Pick<Row, 'n' | 'p50' | 'p90' | 'p95' | 'p99' | 'worst'> {
  const at = (percent: number) => Math.round(percentile(values, percent) * 100) / 100;
  return { n: values.length, p50: at(50), p90: at(90), p95: at(95), p99: at(99), worst: at(100) };
}
