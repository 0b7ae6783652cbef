/** The server could not start, for a reason that the user can mend. */
export class StartError extends Error {
  override readonly name = 'StartError';
}
