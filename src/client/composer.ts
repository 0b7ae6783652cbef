import { element } from './dom.ts';

/** Gives what was typed (or picked from the suggestions) to `say`: Enter sends, Shift+Enter begins a new line. */
export function listenToComposer(say: (text: string) => void): void {
  const text = element<HTMLTextAreaElement>('text');
  const submit = () => {
    const words = text.value.trim();
    if (words === '') return;
    text.value = '';
    say(words);
  };
  element('say').addEventListener('submit', (event) => {
    event.preventDefault();
    submit();
  });
  text.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    submit();
  });
  for (const chip of document.querySelectorAll<HTMLElement>('.chip')) {
    chip.addEventListener('click', () => say(chip.textContent ?? ''));
  }
}

/** Gives the user a text file. */
export function saveText(text: string): void {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob([text], { type: 'text/plain' }));
  link.download = `conversation-${new Date().toISOString().slice(0, 16).replace(/[:T]/g, '-')}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
