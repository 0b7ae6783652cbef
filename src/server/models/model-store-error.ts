/** What went wrong with a model's files; the message says what the user can do about it. */
export class ModelStoreError extends Error {
  override readonly name = 'ModelStoreError';
}
