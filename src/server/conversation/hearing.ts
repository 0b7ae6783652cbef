import type { MicMode } from '../../protocol/messages.ts';
import { Queue } from '../async/queue.ts';
import type { Engines, Transcript } from '../engines/contracts.ts';
import { type EndpointSettings, endOfTurn } from './endpoint.ts';
import { Listener, type ListenSettings, type Sound } from './listen.ts';
import { Utterance } from './utterance.ts';

export type HearingSettings = { readonly listen: ListenSettings; readonly endpoint: EndpointSettings };

/** What becomes of the user's speech, in order. */
export type HearingEvent =
  | { type: 'began'; utterance: Utterance }
  | { type: 'partial'; utterance: Utterance; text: string }
  | { type: 'ended'; utterance: Utterance; transcript: Promise<Transcript> }
  | { type: 'failed'; error: unknown };

/** The user's side of a conversation: microphone in, utterances with their transcripts out as `events`. */
export class Hearing {
  readonly events = new Queue<HearingEvent>();
  readonly #engines: Pick<Engines, 'vad' | 'asr'>;
  readonly #settings: HearingSettings;
  readonly #signal: AbortSignal;
  readonly #listener: Listener;
  #current: { utterance: Utterance; transcript: Promise<Transcript> } | undefined;

  constructor(engines: Pick<Engines, 'vad' | 'asr'>, settings: HearingSettings, signal: AbortSignal) {
    this.#engines = engines;
    this.#settings = settings;
    this.#signal = signal;
    this.#listener = new Listener(engines.vad, settings.listen, signal);
    signal.addEventListener('abort', () => this.events.end(), { once: true });
    void this.#listen();
  }

  /** How far the voice detector is behind the microphone, in frames. */
  get backlog(): { waiting: number; dropped: number } {
    return this.#listener.backlog;
  }

  /** Takes the next microphone PCM (16 kHz mono, -1 to 1, any length). */
  hear(samples: Float32Array): void {
    this.#listener.hear(samples);
  }

  /** Changes how the microphone is used. */
  setMode(mode: MicMode): void {
    this.#listener.setMode(mode);
  }

  /** Forgets the utterance that is being spoken: nothing more is told of it. */
  drop(): void {
    this.#current?.utterance.end();
    this.#current = undefined;
    this.#listener.endUtterance();
  }

  async #listen(): Promise<void> {
    for await (const sound of this.#listener.sounds) this.#take(sound);
  }

  #take(sound: Sound): void {
    switch (sound.type) {
      case 'confirmed':
        return this.#begin(sound.samples);
      case 'speech': {
        const utterance = this.#current?.utterance;
        if (!utterance) return;
        const { samples, pauseMs, held } = sound;
        utterance.add(samples, pauseMs);
        if (endOfTurn({ pauseMs, utteranceMs: utterance.ms, held }, this.#settings.endpoint)) this.#end();
        return;
      }
      case 'released':
        return this.#end();
      case 'failed':
        this.drop();
        return this.events.push(sound);
      case 'onset':
      case 'false_onset':
    }
  }

  #begin(samples: Float32Array): void {
    const utterance = new Utterance();
    utterance.add(samples, 0);
    this.events.push({ type: 'began', utterance });
    const transcript = this.#transcribe(utterance);
    // A failure is reported when the utterance ends; until then it must not count as unhandled.
    transcript.catch(() => {});
    this.#current = { utterance, transcript };
  }

  #end(): void {
    if (!this.#current) return;
    const ended = this.#current;
    this.drop();
    this.events.push({ type: 'ended', ...ended });
  }

  async #transcribe(utterance: Utterance): Promise<Transcript> {
    let last: Transcript = { text: '', final: true, understood: true };
    for await (last of utterance.transcripts(this.#engines.asr, this.#signal)) {
      if (!last.final) this.events.push({ type: 'partial', utterance, text: last.text });
    }
    return last;
  }
}
