import type { MicMode } from '../protocol/messages.ts';
import type { Connection } from './connection.ts';
import { levelOf } from './level.ts';
import { type Microphone, openMicrophone } from './microphone.ts';
import { MicOutbox } from './outbox.ts';

type State =
  | { readonly is: 'off' }
  | { readonly is: 'opening'; readonly attempt: object }
  | { readonly is: 'on'; readonly microphone: Microphone };

/** Speech goes on for so long after the key was let go, because people let go on the last syllable. */
const RELEASE_MS = 200;

/** What the page shows of the user's voice. */
export type VoiceHandlers = {
  onChange(): void;
  onLevel(level: number): void;
  /** The microphone went away by itself and `error` says why another could not be opened. */
  onLost(error: unknown): void;
};

/** The user's side of the talk: microphone, mute, push-to-talk, and what of it is sent. */
export class Voice {
  readonly #connection: Connection;
  readonly #handlers: VoiceHandlers;
  readonly #outbox = new MicOutbox();
  #state: State = { is: 'off' };
  #context: AudioContext | undefined;
  #deviceId: string | undefined;
  #mode: MicMode = 'off';
  #muted = false;
  #pushToTalk = false;
  #held = false;
  #release: ReturnType<typeof setTimeout> | undefined;

  constructor(connection: Connection, handlers: VoiceHandlers) {
    this.#connection = connection;
    this.#handlers = handlers;
    this.#outbox.push({ mode: 'off' });
  }

  get live(): boolean {
    return this.#state.is !== 'off';
  }

  get microphone(): Microphone | undefined {
    return this.#state.is === 'on' ? this.#state.microphone : undefined;
  }

  get mode(): MicMode {
    return this.#mode;
  }

  get muted(): boolean {
    return this.#muted;
  }

  set muted(muted: boolean) {
    this.#muted = muted;
    this.#changed();
  }

  get pushToTalk(): boolean {
    return this.#pushToTalk;
  }

  set pushToTalk(on: boolean) {
    this.#pushToTalk = on;
    this.#held = false;
    this.#changed();
  }

  /** Whether the key or button of push-to-talk is down. */
  set held(held: boolean) {
    clearTimeout(this.#release);
    const apply = () => {
      this.#held = held;
      this.#changed();
    };
    if (held) apply();
    else this.#release = setTimeout(apply, RELEASE_MS);
  }

  /** Opens the microphone; rejects with what the browser threw. */
  async start(context: AudioContext): Promise<void> {
    if (this.live) return;
    this.#context = context;
    this.#outbox.clear();
    await this.#open();
  }

  /** Closes the microphone. */
  stop(): void {
    if (this.#state.is === 'on') this.#state.microphone.close();
    this.#state = { is: 'off' };
    this.#held = false;
    this.#outbox.clear();
    this.#handlers.onLevel(0);
    this.#changed(true);
  }

  /** Takes another microphone (the system's choice if undefined), at once if one is open. */
  async choose(deviceId: string | undefined): Promise<void> {
    this.#deviceId = deviceId;
    if (this.#state.is !== 'on') return;
    this.#state.microphone.close();
    await this.#open();
  }

  /** The socket is ready: says how the microphone is used, then what was said meanwhile. */
  connected(): void {
    this.#drain();
  }

  /** The socket is gone: what is said from now on waits for the next one. */
  disconnected(): void {
    this.#outbox.clear();
    this.#outbox.push({ mode: this.#mode });
  }

  async #open(): Promise<void> {
    const attempt = {};
    this.#state = { is: 'opening', attempt };
    this.#changed();
    try {
      const microphone = await openMicrophone(this.#context!, this.#deviceId, {
        onFrame: (samples) => this.#take(samples),
        onLost: () => this.#reopen(),
      });
      // It was stopped, or another device was chosen, while the browser was still asking.
      if (this.#state.is !== 'opening' || this.#state.attempt !== attempt) return microphone.close();
      this.#state = { is: 'on', microphone };
      this.#changed();
    } catch (error) {
      if (this.#state.is !== 'opening' || this.#state.attempt !== attempt) return;
      this.stop();
      throw error;
    }
  }

  async #reopen(): Promise<void> {
    try {
      await this.#open();
    } catch (error) {
      this.#handlers.onLost(error);
    }
  }

  #take(frame: Float32Array): void {
    this.#handlers.onLevel(this.#mode === 'off' ? 0 : levelOf(frame));
    if (this.#mode !== 'off') this.#outbox.push({ frame });
    this.#drain();
  }

  #drain(): void {
    if (!this.#connection.ready) return;
    for (const item of this.#outbox.take()) {
      if ('frame' in item) this.#connection.sendMic(item.frame);
      else this.#connection.send({ type: 'mic', mode: item.mode });
    }
  }

  #changed(always = false): void {
    const mode = !this.live || this.#muted ? 'off' : this.#pushToTalk ? (this.#held ? 'held' : 'off') : 'open';
    if (mode !== this.#mode || always) {
      this.#mode = mode;
      this.#outbox.push({ mode });
      this.#drain();
    }
    this.#handlers.onChange();
  }
}
