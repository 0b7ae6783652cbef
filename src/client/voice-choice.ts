import type { VoiceChoice } from '../protocol/messages.ts';
import { element } from './dom.ts';

const KEY = 'voice-chat:voice';

/** The fields for who speaks and how fast; the browser remembers what was chosen, if the server has that voice. */
export class VoiceFields {
  readonly #names = element<HTMLSelectElement>('voices');
  readonly #speed = element<HTMLInputElement>('speed');

  /** `onChoose` is told whenever the user has made up their mind. */
  constructor(onChoose: (voice: VoiceChoice) => void) {
    const choose = () => {
      const voice = { name: this.#names.value, speed: this.#speed.valueAsNumber };
      this.#showSpeed();
      remember(voice);
      onChoose(voice);
    };
    this.#names.addEventListener('change', choose);
    this.#speed.addEventListener('change', choose);
    this.#speed.addEventListener('input', () => this.#showSpeed());
  }

  /** Shows the server's voices; returns what the user had chosen before where it differs from `current`. */
  show(voices: readonly string[], current: VoiceChoice): VoiceChoice | undefined {
    const kept = remembered();
    const wanted = kept && voices.includes(kept.name) ? kept : current;
    this.#names.replaceChildren(...voices.map((name) => new Option(name.replaceAll('_', ' '), name)));
    this.#names.value = wanted.name;
    this.#speed.value = String(wanted.speed);
    this.#showSpeed();
    return wanted.name === current.name && wanted.speed === current.speed ? undefined : wanted;
  }

  #showSpeed(): void {
    element('speed-text').textContent = `${this.#speed.valueAsNumber.toFixed(2)} ×`;
  }
}

function remember(voice: VoiceChoice): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(voice));
  } catch {
    // A browser that keeps nothing still works, it only forgets.
  }
}

function remembered(): VoiceChoice | undefined {
  try {
    const { name, speed } = JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<VoiceChoice>;
    return typeof name === 'string' && Number(speed) >= 0.5 && Number(speed) <= 2
      ? { name, speed: Number(speed) }
      : undefined;
  } catch {
    return undefined;
  }
}
