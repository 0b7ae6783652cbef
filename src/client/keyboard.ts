import { element } from './dom.ts';

/** What keys and the hold button do. */
export type KeyHandlers = {
  /** Whether holding Space is to mean talking now. */
  pushToTalk(): boolean;
  onHold(held: boolean): void;
  onInterrupt(): void;
};

/** Space and the hold button for push-to-talk, Esc to interrupt; Space still types, and still presses focused buttons. */
export function listenToKeys(handlers: KeyHandlers): void {
  const hold = element<HTMLButtonElement>('hold');
  let byKeyboard = false;
  let holding = false;
  const set = (held: boolean) => {
    if (held === holding) return;
    holding = held;
    handlers.onHold(held);
  };

  document.addEventListener('keydown', (event) => {
    if (event.key === 'Tab') byKeyboard = true;
    if (event.key === 'Escape' && !document.querySelector('dialog[open]')) handlers.onInterrupt();
    if (event.key !== ' ' || !handlers.pushToTalk() || !meansHold(event.target)) return;
    event.preventDefault();
    set(true);
  });
  document.addEventListener('keyup', (event) => {
    if (event.key !== ' ' || !holding) return;
    // Else the button that has the focus would take it for a press.
    event.preventDefault();
    set(false);
  });
  document.addEventListener('pointerdown', () => {
    byKeyboard = false;
  });
  window.addEventListener('blur', () => set(false));

  hold.addEventListener('pointerdown', (event) => {
    hold.setPointerCapture(event.pointerId);
    set(true);
  });
  for (const type of ['pointerup', 'pointercancel', 'lostpointercapture'] as const) {
    hold.addEventListener(type, () => set(false));
  }
  hold.addEventListener('contextmenu', (event) => event.preventDefault());

  function meansHold(target: EventTarget | null): boolean {
    if (!(target instanceof Element) || document.querySelector('dialog[open]')) return false;
    if (target.closest('input, textarea, select, [contenteditable]')) return false;
    if (target === hold) return true;
    // A button reached by Tab is to be pressed by Space; one that was clicked only happens to have the focus.
    return !(byKeyboard && target.closest('button, a, summary'));
  }
}
