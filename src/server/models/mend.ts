import { isPath } from './own-model.ts';

/** What to do about a model's file that is missing (`pull`) or broken (`verify`), as a sentence; `name` is its id, or a path of the user's own. */
export function mend(name: string, how: 'pull' | 'verify'): string {
  return isPath(name) ? 'Mend it, or name another model in config.yml.' : `Run: voice-chat models ${how} ${name}`;
}
