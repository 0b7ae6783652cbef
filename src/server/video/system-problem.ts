const FULL = 'The disk is full; free some 300 MB, or move cache.folder to another one, and choose the face again.';
const BARRED = 'The files of faces cannot be written; mend the rights of cache.folder, or name another folder there.';
const GONE = 'The files of this face are gone, removed by the command line or another server; choose a face again.';

/** The system's own words, of Node and of ffmpeg, and what they mean here. */
const MEANINGS: readonly (readonly [RegExp, string])[] = [
  [/\bE(NOSPC|DQUOT)\b|No space left on device/, FULL],
  [/\bE(ROFS|ACCES|PERM)\b|Read-only file system/, BARRED],
  [/\bENOENT\b/, GONE],
];

/** A message of the system about the cache's files as a sentence with its fix; any other message as it is. */
export const systemProblem = (message: string): string =>
  MEANINGS.find(([words]) => words.test(message))?.[1] ?? message;
