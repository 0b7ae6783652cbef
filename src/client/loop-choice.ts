import type { AvatarView, LoopName } from '../protocol/messages.ts';
import type { Phase } from './orb.ts';

/** A face that speaks does so in its clip; beneath it it listens already, so that it does when it is interrupted. */
const OF_PHASE: Readonly<Record<Phase, LoopName>> = {
  idle: 'idle',
  connecting: 'idle',
  offline: 'idle',
  muted: 'idle',
  listening: 'listening',
  hearing: 'listening',
  thinking: 'thinking',
  speaking: 'listening',
};
const AFTER_PHASE: Readonly<Record<Phase, LoopName>> = {
  idle: 'listening',
  connecting: 'listening',
  offline: 'listening',
  muted: 'listening',
  listening: 'thinking',
  hearing: 'thinking',
  thinking: 'listening',
  speaking: 'idle',
};
/** What stands in for a loop that is not made yet; a body that speaks would not do. */
const INSTEAD: readonly LoopName[] = ['idle', 'listening', 'thinking'];

/** A loop and where it is. */
export type Loop = { readonly name: LoopName; readonly url: string };

/** The loop to be seen in this phase and the one that comes next, as far as any is made. */
export function chooseLoops(
  phase: Phase,
  loops: AvatarView['loops'],
): { readonly now: Loop | undefined; readonly next: Loop | undefined } {
  const find = (wanted: LoopName): Loop | undefined => {
    for (const name of [wanted, ...INSTEAD]) if (loops[name]) return { name, url: loops[name] };
    return undefined;
  };
  const now = find(OF_PHASE[phase]);
  const next = find(AFTER_PHASE[phase]);
  return { now, next: next?.url === now?.url ? undefined : next };
}
