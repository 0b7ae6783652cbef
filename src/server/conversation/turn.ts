import type { TurnMetrics } from '../../protocol/messages.ts';
import { HeardLedger } from './heard.ts';
import type { ToolRound } from './tool-box.ts';

/** How far a turn has come. A reply that is `playing` is complete here, but the user still hears it. */
export type TurnState =
  | { is: 'recognising' }
  | { is: 'answering' }
  | { is: 'playing'; then: 'completed' | 'failed' }
  | { is: 'over'; outcome: TurnOutcome };

export type TurnOutcome = 'completed' | 'cut' | 'ignored' | 'failed';

/** Moments of a turn, in milliseconds of the session's clock. */
export type Moment = 'ended' | 'transcript' | 'token' | 'phrase' | 'audio';

/** What a turn begins with: speech, typed text, or a sentence that the session says by itself. */
export type TurnInput = {
  readonly typed?: boolean;
  /** Silence that was waited for before the end of turn was believed. */
  readonly endpointMs?: number;
  readonly userSpeechMs?: number;
  readonly announcement?: string;
};

/** One stretch of user speech (or typed text) and the reply to it; or what the session says by itself. */
export class Turn {
  readonly id: number;
  readonly ledger: HeardLedger;
  /** The tools that were called in its reply. */
  readonly toolRounds: ToolRound[] = [];
  readonly signal: AbortSignal;
  readonly typed: boolean;
  /** What the session says by itself in this turn, which then has no question. */
  readonly announcement: string | undefined;
  readonly #input: TurnInput;
  state: TurnState = { is: 'recognising' };
  readonly #own = new AbortController();
  readonly #moments = new Map<Moment, number>();
  #moved: () => void = () => {};

  constructor(id: number, rate: number, parent: AbortSignal, input: TurnInput) {
    this.id = id;
    this.ledger = new HeardLedger(rate);
    this.signal = AbortSignal.any([parent, this.#own.signal]);
    this.typed = input.typed ?? false;
    this.announcement = input.announcement;
    this.#input = input;
    this.signal.addEventListener('abort', () => this.#moved(), { once: true });
  }

  /** The reply ended before its end: the user cut it, or an engine failed. */
  get cut(): boolean {
    return this.state.is === 'over' && (this.state.outcome === 'cut' || this.state.outcome === 'failed');
  }

  /** Whether anything of the reply has been sent, so that the user may hear it. */
  get audible(): boolean {
    return this.ledger.sent > 0;
  }

  /** Cancels whatever is in flight for this turn. */
  abort(): void {
    this.#own.abort();
  }

  /** Notes the first time something happened. */
  mark(moment: Moment, at: number): void {
    if (!this.#moments.has(moment)) this.#moments.set(moment, at);
  }

  reportPlayed(samples: number): void {
    this.ledger.reportPlayed(samples);
    this.#moved();
  }

  /** Resolves once at most `lead` samples are sent but not yet played, or the turn is aborted. */
  async room(lead: number): Promise<void> {
    while (!this.signal.aborted && this.ledger.sent - this.ledger.played > lead) {
      await new Promise<void>((resolve) => {
        this.#moved = resolve;
      });
    }
  }

  /** Where the time went. */
  metrics(): TurnMetrics {
    const between = (from: Moment, to: Moment) => {
      const start = this.#moments.get(from);
      const end = this.#moments.get(to);
      return start === undefined || end === undefined ? undefined : end - start;
    };
    const total = between('ended', 'audio');
    const { endpointMs = 0, userSpeechMs } = this.#input;
    const parts = {
      voiceToVoiceMs: total === undefined ? undefined : total + endpointMs,
      endpointMs: this.typed ? undefined : this.#input.endpointMs,
      asrMs: this.typed ? undefined : between('ended', 'transcript'),
      llmMs: between('transcript', 'token'),
      phraseMs: between('token', 'phrase'),
      ttsMs: between('phrase', 'audio'),
      userSpeechMs: this.typed ? undefined : userSpeechMs,
    };
    const known = Object.entries(parts).filter(([, value]) => value !== undefined);
    return Object.fromEntries(known.map(([name, value]) => [name, Math.round(value! * 10) / 10]));
  }
}
