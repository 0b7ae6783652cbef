import { Speaker, type SpeakerHandlers } from './speaker.ts';

type Opening = { readonly rate: number; readonly speaker: Promise<Speaker> };

/** The page's one audio context and the speaker in it; nothing sounds before a user's gesture has called `start`. */
export class Sound {
  readonly #handlers: SpeakerHandlers;
  readonly #onState: (state: AudioContextState | 'interrupted') => void;
  #context: AudioContext | undefined;
  #rate: number | undefined;
  #opening: Opening | undefined;
  #volume = 1;
  #sink = '';

  constructor(handlers: SpeakerHandlers, onState: (state: AudioContextState | 'interrupted') => void) {
    this.#handlers = handlers;
    this.#onState = onState;
  }

  /** The context, if `start` was called. */
  get context(): AudioContext | undefined {
    return this.#context;
  }

  /** Whether a speaker can be chosen here. */
  static get canChooseSpeaker(): boolean {
    return typeof AudioContext !== 'undefined' && 'setSinkId' in AudioContext.prototype;
  }

  /** Makes the context or wakes it; call it within a click or a key press. */
  start(): AudioContext {
    if (navigator.audioSession) navigator.audioSession.type = 'play-and-record';
    if (!this.#context || this.#context.state === 'closed') {
      const context = new AudioContext({ latencyHint: 'interactive' });
      this.#context = context;
      context.onstatechange = () => this.#onState(context.state);
      this.#applySink();
      this.#openSpeaker();
    }
    this.#context.resume().catch(() => this.#onState('suspended'));
    return this.#context;
  }

  /** Throws the context away, for one that has got stuck; `start` makes a new one. */
  async discard(): Promise<void> {
    const context = this.#context;
    this.#context = undefined;
    await this.#closeSpeaker();
    if (context) context.onstatechange = null;
    await context?.close().catch(() => {});
  }

  /** The rate of the server's speech. */
  set rate(rate: number) {
    this.#rate = rate;
    this.#openSpeaker();
  }

  set volume(volume: number) {
    this.#volume = volume;
    this.#with((speaker) => {
      speaker.volume = volume;
    });
  }

  /** Puts the sound out by the device with this id; empty for the system's choice. */
  async choose(deviceId: string): Promise<void> {
    this.#sink = deviceId;
    await this.#applySink();
  }

  play(turn: number, position: number, samples: Float32Array): void {
    this.#with((speaker) => speaker.play(turn, position, samples));
  }

  end(turn: number): void {
    this.#with((speaker) => speaker.end(turn));
  }

  flush(turn?: number): void {
    this.#with((speaker) => speaker.flush(turn));
  }

  /** Forgets all turns, because a new session counts them anew. */
  async reset(): Promise<void> {
    await this.#closeSpeaker();
    this.#openSpeaker();
  }

  async #closeSpeaker(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await opening?.speaker.then((speaker) => speaker.close()).catch(() => {});
  }

  #openSpeaker(): void {
    const context = this.#context;
    const rate = this.#rate;
    if (!context || !rate || this.#opening?.rate === rate) return;
    const old = this.#opening;
    old?.speaker.then((speaker) => speaker.close()).catch(() => {});
    const speaker = Speaker.open(context, rate, this.#handlers);
    this.#opening = { rate, speaker };
    this.volume = this.#volume;
  }

  /** In order, also while the speaker is still opening. */
  #with(use: (speaker: Speaker) => void): void {
    this.#opening?.speaker.then(use).catch(() => {});
  }

  async #applySink(): Promise<void> {
    const context = this.#context as (AudioContext & { setSinkId?(id: string): Promise<void> }) | undefined;
    await context?.setSinkId?.(this.#sink);
  }
}

declare global {
  interface Navigator {
    /** Safari's way to say that a page both plays and records. */
    readonly audioSession?: { type: string };
  }
}
