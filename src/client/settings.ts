import { closeOnBackdrop } from './details.ts';
import { element } from './dom.ts';
import { Sound } from './sound.ts';

/** What the user may set about sound. */
export type SettingsHandlers = {
  onMicrophone(deviceId: string): void;
  onSpeaker(deviceId: string): void;
  onVolume(volume: number): void;
};

const KEY = 'voice-chat:sound';

/** The panel with devices and volume; the browser remembers what was chosen. */
export class Settings {
  readonly #microphones = element<HTMLSelectElement>('microphones');
  readonly #speakers = element<HTMLSelectElement>('speakers');
  readonly #volume = element<HTMLInputElement>('volume');
  readonly #dialog = element<HTMLDialogElement>('settings');
  readonly #chosen: { microphone: string; speaker: string; volume: number };

  constructor(handlers: SettingsHandlers) {
    this.#chosen = { microphone: '', speaker: '', volume: 100, ...remembered() };
    element('speakers-field').hidden = !Sound.canChooseSpeaker;
    element('open-settings').addEventListener('click', () => {
      this.refresh();
      this.#dialog.showModal();
    });
    closeOnBackdrop(this.#dialog);
    this.#microphones.addEventListener('change', () => {
      this.#chosen.microphone = this.#microphones.value;
      this.#remember();
      handlers.onMicrophone(this.#chosen.microphone);
    });
    this.#speakers.addEventListener('change', () => {
      this.#chosen.speaker = this.#speakers.value;
      this.#remember();
      handlers.onSpeaker(this.#chosen.speaker);
    });
    this.#volume.addEventListener('input', () => {
      this.#chosen.volume = this.#volume.valueAsNumber;
      this.#showVolume();
      this.#remember();
      handlers.onVolume(this.#chosen.volume / 100);
    });
    this.#volume.value = String(this.#chosen.volume);
    this.#showVolume();
    handlers.onVolume(this.#chosen.volume / 100);
    if (this.#chosen.microphone) handlers.onMicrophone(this.#chosen.microphone);
    if (this.#chosen.speaker) handlers.onSpeaker(this.#chosen.speaker);
  }

  /** Lists the devices that are there now; their names are known once the microphone was allowed. */
  async refresh(): Promise<void> {
    const devices = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    fill(this.#microphones, devices, 'audioinput', this.#chosen.microphone);
    fill(this.#speakers, devices, 'audiooutput', this.#chosen.speaker);
    element('devices-note').hidden = devices.some((device) => device.label !== '');
  }

  #showVolume(): void {
    element('volume-text').textContent = `${this.#chosen.volume} %`;
  }

  #remember(): void {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#chosen));
    } catch {
      // A browser that keeps nothing still works, it only forgets.
    }
  }
}

function fill(select: HTMLSelectElement, devices: MediaDeviceInfo[], kind: MediaDeviceKind, chosen: string): void {
  const known = devices.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== 'default');
  const options = known.map((device, i) => new Option(device.label || `Device ${i + 1}`, device.deviceId));
  select.replaceChildren(new Option('System default', ''), ...options);
  select.value = known.some((device) => device.deviceId === chosen) ? chosen : '';
}

function remembered(): object {
  try {
    return JSON.parse(localStorage.getItem(KEY) ?? '{}');
  } catch {
    return {};
  }
}
