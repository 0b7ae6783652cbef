import type { TurnMetrics } from '../protocol/messages.ts';
import { icon, make } from './dom.ts';
import { formatMs, latencyParts } from './latency.ts';
import type { Exchange, ReplyCaption, UserCaption } from './transcript.ts';

/** How near the end of the list counts as being at its end, in pixels. */
const NEAR_END = 80;

type Row = {
  root: HTMLElement;
  user?: HTMLElement;
  reply?: HTMLElement;
  clip?: HTMLElement;
  latency?: HTMLElement;
  shown: string;
};

/** Shows the captions, follows the newest unless the user has scrolled back, and marks the word that is spoken. */
export class TranscriptView {
  readonly #log: HTMLElement;
  readonly #empty: HTMLElement;
  readonly #latest: HTMLElement;
  readonly #rows = new Map<number, Row>();
  #follow = true;

  constructor(log: HTMLElement, empty: HTMLElement, latest: HTMLElement) {
    this.#log = log;
    this.#empty = empty;
    this.#latest = latest;
    log.addEventListener('scroll', () => {
      this.#follow = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
      latest.hidden = this.#follow;
    });
    latest.addEventListener('click', () => this.follow());
    new ResizeObserver(() => this.#scroll()).observe(log);
  }

  /** Shows a turn as it is now; `heard` is how many samples of its reply were heard. */
  show(exchange: Exchange, heard = Number.POSITIVE_INFINITY): void {
    const row = this.#row(exchange.turn);
    row.user = this.#part(row, row.user, exchange.user && renderUser(exchange.user), 'prepend');
    const { reply } = exchange;
    const shown = reply ? describe(reply, heard) : '';
    if (shown !== row.shown) {
      row.shown = shown;
      row.reply = this.#part(row, row.reply, reply && renderReply(reply, heard), 'after-user');
    }
    if (exchange.clip && !row.clip) this.#showClip(row, exchange.clip);
    row.root.hidden = !exchange.user && !reply;
    this.#empty.hidden = true;
    this.#scroll();
  }

  /** Shows where the time of a turn went. */
  showMetrics({ turn, metrics, silentMs }: Exchange): void {
    if (!metrics) return;
    const row = this.#row(turn);
    const open = row.latency instanceof HTMLDetailsElement && row.latency.open;
    const latency = renderLatency(metrics, silentMs);
    if (latency instanceof HTMLDetailsElement) latency.open = open;
    row.latency?.remove();
    if (latency) row.root.append(latency);
    if (latency) row.latency = latency;
    this.#scroll();
  }

  /** Draws a line under what was said so far: turns are counted anew below it. */
  divide(text: string): void {
    if (this.#rows.size > 0) this.#log.append(make('p', 'divider', text));
    this.#rows.clear();
    this.#scroll();
  }

  /** Removes everything. */
  clear(): void {
    this.#rows.clear();
    this.#log.replaceChildren(this.#empty);
    this.#empty.hidden = false;
    this.follow();
  }

  /** Goes to the newest line and stays there. */
  follow(): void {
    this.#follow = true;
    this.#latest.hidden = true;
    this.#scroll();
  }

  #row(turn: number): Row {
    let row = this.#rows.get(turn);
    if (row) return row;
    row = { root: make('div', 'exchange'), shown: '' };
    const next = [...this.#rows].filter(([other]) => other > turn).sort(([a], [b]) => a - b)[0];
    this.#log.insertBefore(row.root, next ? next[1].root : null);
    this.#rows.set(turn, row);
    return row;
  }

  #showClip(row: Row, url: string): void {
    row.clip = renderClip(url);
    row.root.insertBefore(row.clip, row.latency ?? null);
  }

  #part(row: Row, old: HTMLElement | undefined, now: HTMLElement | undefined, place: 'prepend' | 'after-user') {
    if (now && old?.outerHTML === now.outerHTML) return old;
    if (now && old) {
      // The element stays, so that it is animated once and a reader keeps its place.
      old.className = now.className;
      old.replaceChildren(...now.childNodes);
      return old;
    }
    old?.remove();
    if (now && place === 'prepend') row.root.prepend(now);
    else if (now && row.user) row.user.after(now);
    else if (now) row.root.prepend(now);
    return now as HTMLElement;
  }

  #scroll(): void {
    if (this.#follow && this.#rows.size > 0) this.#log.scrollTop = this.#log.scrollHeight;
  }
}

function describe(reply: ReplyCaption, heard: number): string {
  if (reply.state === 'cut') return `cut ${reply.heard.length} ${reply.unheard}`;
  const at = reply.spoken.at(heard);
  return `${reply.state} ${reply.spoken.text.length} ${at?.from} ${at?.to}`;
}

function renderUser(user: UserCaption): HTMLElement {
  if (user.state === 'not_understood')
    return make('p', 'user missed', 'I heard you, but could not make out the words.');
  const line = make('p', user.state === 'partial' ? 'user partial' : 'user');
  line.append(make('span', 'sr-only', user.typed ? 'You wrote: ' : 'You: '), user.text);
  return line;
}

function renderReply(reply: ReplyCaption, heard: number): HTMLElement {
  const line = make('p', 'reply');
  line.append(make('span', 'sr-only', 'Assistant: '));
  if (reply.state === 'cut') {
    line.append(reply.heard);
    if (!reply.unheard) return line;
    if (reply.heard && !/\s$/.test(reply.heard) && !/^\s/.test(reply.unheard)) line.append(' ');
    const unheard = make('s', 'unheard');
    unheard.append(make('span', 'sr-only', 'not heard: '), reply.unheard);
    const note = make('span', 'cut-note', 'not heard');
    note.setAttribute('aria-hidden', 'true');
    line.append(unheard, note);
    return line;
  }
  const { text } = reply.spoken;
  const at = reply.spoken.at(heard);
  if (!at) line.append(text);
  else if (at.from === at.to && at.to >= text.trimEnd().replace(/[^\p{L}\p{N}]+$/u, '').length) line.append(text);
  else {
    line.append(text.slice(0, at.from));
    if (at.to > at.from) line.append(make('span', 'word', text.slice(at.from, at.to)));
    line.append(make('span', 'coming', text.slice(at.to)));
  }
  return line;
}

function renderClip(url: string): HTMLElement {
  const actions = make('p', 'clip-actions');
  const again = make('button', 'clip-action');
  again.type = 'button';
  again.dataset.clip = url;
  again.append(icon('i-again'), 'Play again');
  const keep = make('a', 'clip-action');
  keep.href = `${url}${url.includes('?') ? '&' : '?'}download`;
  keep.download = '';
  keep.append(icon('i-save'), 'Download');
  actions.append(again, keep);
  return actions;
}

function renderLatency(metrics: TurnMetrics, silentMs: number | undefined): HTMLElement | undefined {
  const parts = latencyParts(metrics);
  const facts: string[] = [];
  if (metrics.voiceToVoiceMs !== undefined) facts.push(`answered in ${formatMs(metrics.voiceToVoiceMs)}`);
  if (silentMs !== undefined) facts.push(`stopped in ${formatMs(silentMs)}`);
  if (facts.length === 0 && parts.length === 0) return undefined;
  const details = make('details', 'latency');
  const summary = make('summary', '');
  if (parts.length > 0) {
    const bars = make('span', 'bars');
    bars.setAttribute('aria-hidden', 'true');
    for (const part of parts) {
      const bar = make('span', '');
      bar.dataset.part = part.key;
      bar.style.setProperty('--ms', String(Math.max(1, part.ms)));
      bars.append(bar);
    }
    summary.append(bars);
  }
  summary.append(make('span', '', facts.join(' · ') || 'timing'));
  const list = make('ul', 'parts');
  for (const part of parts) {
    const item = make('li', '', `${part.name} ${formatMs(part.ms)}`);
    item.dataset.part = part.key;
    list.append(item);
  }
  const more: [string, number | undefined][] = [
    ['you spoke', metrics.userSpeechMs],
    ['stop order to silence here', silentMs],
  ];
  for (const [name, ms] of more) if (ms !== undefined) list.append(make('li', '', `${name} ${formatMs(ms)}`));
  details.append(summary, list);
  return details;
}
