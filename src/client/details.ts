import { element, make } from './dom.ts';

const MAX_EVENTS = 200;

/** The panel of figures and events; it never holds what was said. */
export class Details {
  readonly #dialog = element<HTMLDialogElement>('details');
  readonly #list = element('facts');
  readonly #events = element('events');
  readonly #facts = new Map<string, string>();

  constructor() {
    element('open-details').addEventListener('click', () => {
      this.#render();
      this.#dialog.showModal();
    });
    closeOnBackdrop(this.#dialog);
  }

  /** Shows `value` beside `name`; facts keep the order in which they came first. */
  set(name: string, value: string): void {
    if (this.#facts.get(name) === value) return;
    this.#facts.set(name, value);
    if (this.#dialog.open) this.#render();
  }

  /** Adds a line to the list of events. */
  log(text: string): void {
    const line = make('li', '');
    line.append(make('time', '', new Date().toISOString().slice(11, 23)), text);
    this.#events.prepend(line);
    if (this.#events.childElementCount > MAX_EVENTS) this.#events.lastElementChild?.remove();
  }

  #render(): void {
    this.#list.replaceChildren(
      ...[...this.#facts].flatMap(([name, value]) => [make('dt', '', name), make('dd', '', value)]),
    );
  }
}

/** Lets a click beside a dialog close it. */
export function closeOnBackdrop(dialog: HTMLDialogElement): void {
  dialog.addEventListener('click', (event) => {
    if (event.target === dialog && event.offsetX < 0) dialog.close();
  });
}
