import type { Device, MuseTalkSettings } from '../networks.ts';
import type { ChosenDevice } from './choose-device.ts';
import type { NetworkName } from './open-networks.ts';
import type { Tensors } from './tensors.ts';

/** What the thread that computes is asked. */
export type Job =
  /** Which device it computes on. */
  | { readonly kind: 'device' }
  | { readonly kind: 'run'; readonly network: NetworkName; readonly inputs: Tensors }
  /** To load one graph, to run it once for each of `inputs`, and to let it go. */
  | { readonly kind: 'graph'; readonly file: string; readonly device: Device; readonly inputs: readonly Tensors[] };

/** What came of a job. */
export type Done = {
  readonly chosen?: ChosenDevice;
  readonly outputs?: readonly Tensors[];
  /** How long computing took, and before that loading, in milliseconds. */
  readonly computedMs?: number;
  readonly loadedMs?: number;
};

/** What the thread is started with; a job of the kind `graph` needs no settings. */
export type ThreadSettings = MuseTalkSettings | undefined;

/** What the thread says to a job: sentences for the log, then how it ended. */
export type FromThread = { readonly said: string } | { readonly done: Done } | { readonly failed: string };
