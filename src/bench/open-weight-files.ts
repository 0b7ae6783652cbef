// A process of its own: opens each file that it is told of, reads every tensor, and tells what came of it.
import { openWeights } from '../server/weights/open-weights.ts';
import { WeightsError } from '../server/weights/weights.ts';

/** What came of one file. */
export type Opened = {
  /** `read` where every tensor of floats was, `refused` where a `WeightsError` came; anything else is wrong. */
  readonly outcome: 'read' | 'refused' | 'wrong';
  readonly message: string;
  /** The most memory that this process has had until now, in bytes. */
  readonly peakBytes: number;
};

const signal = new AbortController().signal;

process.on('message', (file: string) => void tried(file).then((opened) => process.send?.(opened)));
process.on('disconnect', () => process.exit());

async function tried(file: string): Promise<Opened> {
  const said = (outcome: Opened['outcome'], message: string): Opened => ({
    ...{ outcome, message },
    peakBytes: process.resourceUsage().maxRSS * 1_024,
  });
  try {
    await using weights = await openWeights(file);
    for (const [name, { type }] of weights.tensors) {
      if (['f64', 'f32', 'f16', 'bf16'].includes(type)) await weights.read(name, signal);
    }
    return said('read', '');
  } catch (error) {
    return error instanceof WeightsError ? said('refused', error.message) : said('wrong', String(error));
  }
}
