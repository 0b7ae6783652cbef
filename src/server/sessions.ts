import { randomBytes, randomUUID } from 'node:crypto';
import type { ServerMessage } from '../protocol/messages.ts';
import type { ConversationSession } from './conversation/session.ts';

/** A session and who serves it now. */
export type HeldSession = {
  readonly id: string;
  readonly session: ConversationSession;
  /** Single use: shown in `hello`, it gives the session to that socket, and a new one is made. */
  token: string;
  /** Called when another socket takes the session over. */
  onTakenOver: (() => void) | undefined;
  expiry: NodeJS.Timeout | undefined;
  /** Ends it however much it is used. */
  lifetime: NodeJS.Timeout | undefined;
};

export type SessionLimits = {
  readonly sessions: number;
  readonly resumeSeconds: number;
  readonly sessionMinutes: number;
};

/** All open sessions: gives them to sockets, keeps them a while after a socket drops. */
export class Sessions {
  readonly #create: (id: string) => ConversationSession;
  readonly #limits: SessionLimits;
  readonly #onEnd: (outcome: string) => void;
  readonly #held = new Map<string, HeldSession>();
  #draining = false;

  constructor(create: (id: string) => ConversationSession, limits: SessionLimits, onEnd: (outcome: string) => void) {
    this.#create = create;
    this.#limits = limits;
    this.#onEnd = onEnd;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Microphone frames that wait for the voice detector, and those dropped because too many did, of all open sessions. */
  backlog(): { waiting: number; dropped: number } {
    const all = [...this.#held.values()].map(({ session }) => session.backlog);
    return {
      waiting: all.reduce((sum, { waiting }) => sum + waiting, 0),
      dropped: all.reduce((sum, { dropped }) => sum + dropped, 0),
    };
  }

  get draining(): boolean {
    return this.#draining;
  }

  /** The session that `token` belongs to, else a new one; undefined when no more are taken. */
  open(token: string | undefined): { held: HeldSession; resumed: boolean } | undefined {
    const known = token === undefined ? undefined : [...this.#held.values()].find((held) => held.token === token);
    if (known) {
      clearTimeout(known.expiry);
      known.token = newToken();
      known.onTakenOver?.();
      return { held: known, resumed: true };
    }
    if (this.#draining || this.#held.size >= this.#limits.sessions) return undefined;
    const id = randomUUID().slice(0, 8);
    const session = this.#create(id);
    const held: HeldSession = {
      id,
      session,
      token: newToken(),
      onTakenOver: undefined,
      expiry: undefined,
      lifetime: undefined,
    };
    this.#held.set(id, held);
    held.lifetime = setTimeout(() => this.end(held, 'too_long'), this.#limits.sessionMinutes * 60_000);
    held.lifetime.unref();
    return { held, resumed: false };
  }

  /** The socket dropped: the session waits for its user to come back. */
  detach(held: HeldSession): void {
    held.onTakenOver = undefined;
    held.session.detach();
    held.expiry = setTimeout(() => this.end(held, 'expired'), this.#limits.resumeSeconds * 1000);
    held.expiry.unref();
  }

  /** Ends a session for good; twice is fine. */
  end(held: HeldSession, outcome: string): void {
    if (!this.#held.delete(held.id)) return;
    clearTimeout(held.expiry);
    // Else the timer would keep the whole conversation in memory for hours.
    clearTimeout(held.lifetime);
    held.session.close();
    this.#onEnd(outcome);
  }

  /** Tells every user something. */
  tellAll(message: ServerMessage): void {
    for (const { session } of this.#held.values()) session.tell(message);
  }

  /** Takes no new sessions, lets replies in flight finish for `graceMs` at most, then ends all. */
  async drain(graceMs: number): Promise<void> {
    this.#draining = true;
    this.tellAll({ type: 'goaway', reason: 'The server is shutting down.', timeLeftMs: graceMs });
    const until = performance.now() + graceMs;
    while (performance.now() < until && [...this.#held.values()].some(({ session }) => session.busy)) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    for (const held of [...this.#held.values()]) this.end(held, 'drained');
  }
}

const newToken = (): string => randomBytes(24).toString('base64url');
