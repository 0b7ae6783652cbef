import { setMaxListeners } from 'node:events';
import type { ConversationState, Line, MicMode, ServerMessage } from '../../protocol/messages.ts';
import { abortable } from '../async/abortable.ts';
import { Queue } from '../async/queue.ts';
import { EngineError, type ReplyDelta, type SpeakingVoice, type Transcript } from '../engines/contracts.ts';
import { Hearing, type HearingEvent } from './hearing.ts';
import { History } from './history.ts';
import { reply } from './reply.ts';
import type { SessionEvent } from './session-event.ts';
import type { ConversationSettings, SessionWorld } from './session-world.ts';
import type { ToolBox } from './tool-box.ts';
import { replyWithTools } from './tool-rounds.ts';
import { Turn, type TurnInput, type TurnOutcome } from './turn.ts';
import { Unsettled } from './unsettled.ts';
import type { Utterance } from './utterance.ts';

/** Small models call tools until they may no more, or think until they have no words left. */
const NO_ANSWER =
  'The chat model wrote no answer. Say it in other words; if that happens often, choose another llm.model or fewer llm.tools.';

/** One conversation with one user; outlives a dropped socket. */
export class ConversationSession {
  readonly #world: SessionWorld;
  readonly #settings: ConversationSettings;
  readonly #history = new History();
  readonly #own = new AbortController();
  readonly #signal: AbortSignal;
  readonly #hearing: Hearing;
  readonly #tools: ToolBox | undefined;
  /** Sentences to be said when nobody speaks and somebody listens. */
  readonly #announcements: string[] = [];
  readonly #unsettled = new Unsettled((turn) => {
    this.tell({ type: 'cut', turn: turn.id, ...turn.ledger.split() });
    this.#world.onTurnOver(turn, 'cut');
  });
  #attached = false;
  #voice: SpeakingVoice;
  #events = new Queue<SessionEvent>();
  #lastTurn = 0;
  #turn: Turn | undefined;
  /** What the user is saying, and the turn it will become unless one is typed first. */
  #spoken: { utterance: Utterance; turn: number } | undefined;
  #told: { state: ConversationState; turn: number } = { state: 'listening', turn: 0 };

  constructor(world: SessionWorld, settings: ConversationSettings, parent: AbortSignal) {
    this.#world = world;
    this.#settings = settings;
    this.#voice = settings.answer.voice;
    this.#signal = AbortSignal.any([parent, this.#own.signal]);
    // Every call of a long session listens to it for a while.
    setMaxListeners(0, this.#signal);
    this.#hearing = new Hearing(world.engines, settings, this.#signal);
    this.#tools = world.tools?.((sentence) => this.announce(sentence), this.#signal);
    this.#signal.addEventListener('abort', () => this.#events.end(), { once: true });
    void this.#listen();
  }

  /** The conversation so far, as the page shows it. */
  get lines(): Line[] {
    return this.#history.lines();
  }

  /** The id of the newest turn; ids only grow. */
  get lastTurn(): number {
    return this.#lastTurn;
  }

  /** Whether somebody speaks: the user, or a reply that is being made or heard. */
  get busy(): boolean {
    return this.#spoken !== undefined || (this.#turn !== undefined && this.#turn.state.is !== 'over');
  }

  /** Whether it will say something by itself later: a timer runs, or a sentence waits until nobody speaks. */
  get willSpeak(): boolean {
    return this.#announcements.length > 0 || (this.#tools?.pending ?? false);
  }

  /** How far the voice detector is behind this session's microphone, in frames. */
  get backlog(): { waiting: number; dropped: number } {
    return this.#hearing.backlog;
  }

  /** What the session tells from now on, until `signal` aborts or it is closed; a new reader takes over from the last. */
  read(signal: AbortSignal): AsyncIterable<SessionEvent> {
    this.#events.end();
    this.#events = new Queue();
    if (this.#signal.aborted) this.#events.end();
    this.#attached = true;
    this.#announceNext();
    return abortable(this.#events, signal);
  }

  /** Tells the user something that is not this session's own. */
  tell(message: ServerMessage): void {
    this.#events.push(message);
  }

  /** Takes the next microphone PCM (16 kHz mono, -1 to 1, any length). */
  hear(samples: Float32Array): void {
    this.#hearing.hear(samples);
  }

  /** Changes how the microphone is used. */
  setMic(mode: MicMode): void {
    this.#hearing.setMode(mode);
  }

  /** The voice that speaks, from the next reply on. */
  get voice(): SpeakingVoice {
    return this.#voice;
  }

  setVoice(voice: SpeakingVoice): void {
    this.#voice = voice;
  }

  /** A turn that the user typed; cuts a reply that still plays. */
  type(text: string): void {
    if (this.#signal.aborted || text.trim() === '') return;
    this.#cut();
    const turn = this.#newTurn(++this.#lastTurn, { typed: true, endpointMs: 0, userSpeechMs: 0 });
    this.#accept(turn, text.trim());
  }

  /** Says a sentence by itself, as a turn without a question: when nobody speaks, and when a client is there to hear it. */
  announce(sentence: string): void {
    if (this.#signal.aborted || sentence.trim() === '') return;
    this.#announcements.push(sentence.trim());
    this.#announceNext();
  }

  /** The user asked for silence. */
  interrupt(): void {
    this.#cut({ unwanted: true });
    this.#tellState();
    this.#announceNext();
  }

  /** The client's count of this turn's samples that have left the speaker; `final` when no more will. */
  played(id: number, samples: number, final: boolean): void {
    const turn = [this.#turn, this.#unsettled.turn].find((candidate) => candidate?.id === id);
    if (!turn) return;
    turn.reportPlayed(samples);
    if (turn === this.#unsettled.turn) {
      if (final) this.#unsettled.settle();
    } else if (turn.state.is === 'playing' && turn.ledger.played >= turn.ledger.sent) {
      this.#end(turn, turn.state.then);
    } else if (final && turn.audible && turn.ledger.played > 0 && turn.ledger.split().unheard !== '') {
      // The page stopped by itself; its `interrupt` is lost or on its way. (Nothing played at all: it has no speaker.)
      this.interrupt();
      this.#unsettled.settle();
    } else if (turn.state.is === 'playing' && final) {
      this.#end(turn, turn.state.then);
    }
  }

  /** The socket is gone: nobody hears the reply, and half an utterance is no turn. */
  detach(): void {
    this.#attached = false;
    this.#cut();
    this.#unsettled.settle();
    this.#spoken = undefined;
    this.#hearing.drop();
    this.#hearing.setMode('off');
    this.#tellState();
    this.#events.end();
  }

  /** Ends the session and everything in flight for it; twice is fine. */
  close(): void {
    this.#own.abort();
    this.#hearing.drop();
  }

  // Hearing the user

  async #listen(): Promise<void> {
    for await (const event of this.#hearing.events) this.#take(event);
  }

  #take(event: HearingEvent): void {
    if (event.type === 'began') {
      this.#cut();
      this.#spoken = { utterance: event.utterance, turn: ++this.#lastTurn };
    } else if (event.type === 'failed') {
      this.#spoken = undefined;
      this.#report(event.error, 'vad', this.#lastTurn);
    } else if (event.utterance === this.#spoken?.utterance) {
      const { turn } = this.#spoken;
      if (event.type === 'partial') this.tell({ type: 'partial', turn, text: event.text });
      else this.#endUtterance(event.utterance, turn, event.transcript);
    }
    this.#tellState();
    this.#announceNext();
  }

  #endUtterance(utterance: Utterance, id: number, transcript: Promise<Transcript>): void {
    this.#spoken = undefined;
    this.#cut();
    const userSpeechMs = utterance.ms - utterance.pauseMs;
    const input = { typed: false, endpointMs: utterance.pauseMs, userSpeechMs };
    // A turn typed meanwhile has a higher id, and ids only grow.
    void this.#understand(this.#newTurn(id === this.#lastTurn ? id : ++this.#lastTurn, input), transcript);
  }

  async #understand(turn: Turn, pending: Promise<Transcript>): Promise<void> {
    let transcript: Transcript;
    try {
      transcript = await pending;
    } catch (error) {
      this.#report(error, 'asr', turn.id);
      this.#end(turn, 'failed');
      return;
    }
    turn.mark('transcript', this.#world.clock());
    const text = transcript.text.trim();
    if (transcript.understood && text !== '') return this.#accept(turn, text);
    this.tell({ type: 'ignored', turn: turn.id, reason: transcript.understood ? 'noise' : 'not_understood' });
    const { notUnderstood } = this.#settings;
    if (transcript.understood || notUnderstood === '' || turn.state.is === 'over') return this.#end(turn, 'ignored');
    await this.#speak(turn, only(notUnderstood));
  }

  // Answering

  #newTurn(id: number, input: TurnInput): Turn {
    this.#turn = new Turn(id, this.#world.engines.tts.rate, this.#signal, input);
    if (input.announcement === undefined) this.#turn.mark('ended', this.#world.clock());
    this.#tellState();
    return this.#turn;
  }

  /** What the user said stands in history even when a newer utterance has already made the answer idle. */
  #accept(turn: Turn, text: string): void {
    turn.mark('transcript', this.#world.clock());
    this.#history.addUser(turn.id, text, turn.typed);
    this.tell({ type: 'user_said', turn: turn.id, text, typed: turn.typed });
    this.#afterSettling(() => this.#answer(turn));
  }

  /**
   * Calls `next` once it is known what was heard of a reply that was cut just now: typed text cuts one and asks for the next at
   * once, and the chat model must know.
   */
  #afterSettling(next: () => void): void {
    if (this.#unsettled.turn) void this.#unsettled.settled(this.#world.patience()).then(next);
    else next();
  }

  #answer(turn: Turn): void {
    if (turn.state.is === 'over' || this.#signal.aborted) return;
    this.#unsettled.settle();
    const { systemPrompt, historyMessages } = this.#settings;
    const messages = this.#history.messages(historyMessages);
    if (systemPrompt !== '') messages.unshift({ role: 'system', content: systemPrompt });
    this.#history.addReply(turn);
    const { llm } = this.#world.engines;
    const request = { messages, situation: this.#world.situation() };
    const tokens = this.#tools
      ? replyWithTools(llm, request, this.#tools, turn.toolRounds, turn.signal)
      : llm.reply(request, turn.signal);
    void this.#speak(turn, this.#timed(turn, tokens));
  }

  async *#timed(turn: Turn, tokens: AsyncIterable<ReplyDelta>): AsyncGenerator<string, void, undefined> {
    let silent = true;
    for await (const token of tokens) {
      turn.mark('token', this.#world.clock());
      if (typeof token !== 'string') continue;
      if (token.trim() !== '') silent = false;
      yield token;
    }
    if (silent) throw new EngineError('llm', NO_ANSWER);
  }

  #announceNext(): void {
    if (this.busy || !this.#attached || this.#signal.aborted) return;
    const sentence = this.#announcements.shift();
    if (sentence === undefined) return;
    const turn = this.#newTurn(++this.#lastTurn, { announcement: sentence });
    this.#afterSettling(() => this.#announce(turn, sentence));
  }

  #announce(turn: Turn, sentence: string): void {
    if (turn.state.is === 'over' || this.#signal.aborted) return;
    this.#unsettled.settle();
    this.#history.addReply(turn);
    void this.#speak(turn, only(sentence));
  }

  async #speak(turn: Turn, text: AsyncIterable<string>): Promise<void> {
    turn.state = { is: 'answering' };
    const { engines, clock } = this.#world;
    const { answer, leadMs } = this.#settings;
    const settings = { leadMs, answer: { ...answer, voice: this.#voice } };
    let then: 'completed' | 'failed' = 'completed';
    try {
      for await (const event of reply(turn, text, engines.tts, settings, clock)) {
        // An abort can fall between an event's making and its arrival here.
        if (turn.signal.aborted) return;
        this.#events.push(event);
        if (event.type === 'metrics') this.#tellState();
      }
    } catch (error) {
      if (turn.signal.aborted) return;
      this.#report(error, 'llm', turn.id);
      if (!turn.audible) return this.#end(turn, 'failed');
      // What was spoken before is still being heard.
      then = 'failed';
      this.tell({ type: 'reply_done', turn: turn.id, samples: turn.ledger.sent });
    }
    if (turn.signal.aborted) return;
    turn.state = { is: 'playing', then };
    if (turn.ledger.played >= turn.ledger.sent) this.#end(turn, then);
  }

  // Ending turns

  /** Stops the newest turn, if it is not over: whatever is in flight for it, and the audio at the client. */
  #cut({ unwanted = false } = {}): void {
    const turn = this.#turn;
    if (!turn || turn.state.is === 'over') return;
    const replying = turn.state.is !== 'recognising';
    turn.state = { is: 'over', outcome: 'cut' };
    turn.abort();
    // Of what was cut before any of it was heard, the user does not know yet.
    if (turn.announcement && turn.ledger.played === 0 && !unwanted) this.#announcements.unshift(turn.announcement);
    if (!replying) return this.#world.onTurnOver(turn, 'cut');
    this.tell({ type: 'flush', turn: turn.id });
    this.#unsettled.hold(turn);
  }

  #end(turn: Turn, outcome: TurnOutcome): void {
    if (turn.state.is === 'over') return;
    turn.state = { is: 'over', outcome };
    turn.abort();
    const split = turn.ledger.split();
    if (outcome === 'failed' && split.unheard !== '') this.tell({ type: 'cut', turn: turn.id, ...split });
    this.#world.onTurnOver(turn, outcome);
    this.#tellState();
    this.#announceNext();
  }

  // Telling the user

  #report(error: unknown, stage: EngineError['stage'], turn: number): void {
    if (this.#signal.aborted) return;
    const known = error instanceof EngineError ? error : new EngineError(stage, messageOf(error), { cause: error });
    this.tell({ type: 'error', code: 'engine_failed', stage: known.stage, message: known.message, turn });
  }

  #tellState(): void {
    const turn = this.#turn;
    const answering = turn && turn.state.is !== 'over' ? (turn.audible ? 'speaking' : 'thinking') : 'listening';
    const state: ConversationState = this.#spoken ? 'hearing' : answering;
    const told = { state, turn: this.#lastTurn };
    if (told.state === this.#told.state && told.turn === this.#told.turn) return;
    this.#told = told;
    this.tell({ type: 'state', ...told });
  }
}

async function* only(sentence: string): AsyncGenerator<string, void, undefined> {
  yield sentence;
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
