import type { IncomingMessage } from 'node:http';
import { RateLimit } from './rate-limit.ts';

/** Enough for everybody who is really there; who floods us from more addresses pushes out only the oldest. */
const MAX_ADDRESSES = 10_000;

/** A bucket for each address that requests come from. */
export class AddressLimits {
  readonly #capacity: number;
  readonly #perSecond: number;
  readonly #clock: () => number;
  readonly #limits = new Map<string, RateLimit>();

  constructor(capacity: number, perSecond: number, clock: () => number = () => performance.now()) {
    this.#capacity = capacity;
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** The bucket of the address that a request comes from. */
  of(request: IncomingMessage): RateLimit {
    const address = networkOf(request.socket.remoteAddress ?? '');
    const limit = this.#limits.get(address) ?? new RateLimit(this.#capacity, this.#perSecond, this.#clock);
    // The one that was used last stands last.
    this.#limits.delete(address);
    this.#limits.set(address, limit);
    if (this.#limits.size > MAX_ADDRESSES) this.#limits.delete(this.#limits.keys().next().value!);
    return limit;
  }
}

/** The first half of an address of version 6, of which one household has all the rest. */
function networkOf(address: string): string {
  if (!address.includes(':') || address.startsWith('::ffff:')) return address;
  const [head = [], tail] = address.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = tail ? Array(Math.max(0, 8 - head.length - tail.length)).fill('0') : [];
  return [...head, ...zeros, ...(tail ?? [])].slice(0, 4).join(':');
}
