import { element, make } from './dom.ts';
import { Orb } from './orb.ts';
import type { Problem } from './problems.ts';
import type { Status } from './status-text.ts';

/** More of them would cover the captions. */
const MOST_TOASTS = 3;
const TOAST_MS = 7_000;

/** A way out of a problem that the page itself can take. */
export type Action = { readonly label: string; run(): void };

/** The parts of the page beside captions and panels: orb, controls, problems, toasts. */
export class Screen {
  readonly #orb = new Orb(element<HTMLCanvasElement>('orb'));
  readonly #level = element('level');
  #micLevel = 0;
  #phase = 'idle';
  #problemKey: string | undefined;
  #act: (() => void) | undefined;

  constructor() {
    element('problem-close').addEventListener('click', () => this.#hideProblem());
    element('problem-action').addEventListener('click', () => {
      const act = this.#act;
      this.#hideProblem();
      act?.();
    });
  }

  showStatus({ phase, title, hint }: Status): void {
    this.#phase = phase;
    document.body.dataset.phase = phase;
    setText('state', title);
    setText('hint', hint);
    this.#orb.show(phase);
    this.#orb.level = phase === 'speaking' ? 0 : this.#micLevel;
  }

  showLink(link: 'connecting' | 'ready' | 'lost', text: string): void {
    element('link').dataset.link = link;
    setText('link-text', text);
  }

  showControls(now: {
    live: boolean;
    muted: boolean;
    pushToTalk: boolean;
    held: boolean;
    interruptible: boolean;
  }): void {
    const talk = element('talk');
    document.body.dataset.live = String(now.live);
    talk.setAttribute('aria-label', now.live ? 'End the conversation' : 'Start talking');
    setText('talk-label', now.live ? 'End' : 'Start');
    setIcon('talk-icon', now.live ? 'i-end' : 'i-mic');
    const mute = element<HTMLButtonElement>('mute');
    mute.disabled = !now.live;
    mute.setAttribute('aria-pressed', String(now.muted));
    setIcon('mute-icon', now.muted ? 'i-mic-off' : 'i-mic');
    element('ptt').setAttribute('aria-pressed', String(now.pushToTalk));
    const hold = element<HTMLButtonElement>('hold');
    hold.hidden = !(now.live && now.pushToTalk);
    hold.classList.toggle('down', now.held);
    element<HTMLButtonElement>('interrupt').disabled = !now.interruptible;
  }

  /** The level of the user's microphone, 0 to 1. */
  showMicLevel(level: number): void {
    this.#micLevel = level;
    this.#level.style.setProperty('--level', level.toFixed(3));
    if (this.#phase !== 'speaking') this.#orb.level = this.#phase === 'hearing' ? level : level * 0.5;
  }

  /** The level of the assistant's voice, 0 to 1. */
  showVoiceLevel(level: number): void {
    if (this.#phase === 'speaking') this.#orb.level = level;
  }

  /** Shows a problem until it is solved, dismissed, or another one comes; `key` says which it is. */
  showProblem(key: string, problem: Problem, action?: Action): void {
    this.#problemKey = key;
    setText('problem-title', problem.title);
    setText('problem-fix', problem.fix);
    this.#act = action && (() => action.run());
    const button = element('problem-action');
    button.hidden = !action;
    button.textContent = action?.label ?? '';
    element('problem').hidden = false;
  }

  /** Shows what keeps nobody from talking: a problem that is shown already stays, and this one is a toast. */
  showLesserProblem(key: string, problem: Problem): void {
    if (this.#problemKey === undefined || this.#problemKey === key) this.showProblem(key, problem);
    else this.toast(`${problem.title} ${problem.fix}`);
  }

  /** Takes a problem away, if it is the one that is shown. */
  solved(key: string): void {
    if (this.#problemKey === key) this.#hideProblem();
  }

  /** Says something that needs no answer. */
  toast(text: string): void {
    const toast = make('div', 'toast', text);
    const toasts = element('toasts');
    // That an engine is down is told to all, and again to whom it failed.
    for (const older of [...toasts.children]) if (older.textContent === text) older.remove();
    toasts.append(toast);
    while (toasts.childElementCount > MOST_TOASTS) toasts.firstElementChild!.remove();
    setTimeout(() => toast.remove(), TOAST_MS);
  }

  /** Gives a final caption to a screen reader. */
  announce(text: string): void {
    setText('announce', text);
  }

  #hideProblem(): void {
    this.#problemKey = undefined;
    this.#act = undefined;
    element('problem').hidden = true;
  }
}

function setText(id: string, text: string): void {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function setIcon(id: string, icon: string): void {
  element(id).setAttribute('href', `#${icon}`);
}
