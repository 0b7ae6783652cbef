/** What went wrong with a model's files; the message says what the user can do about it. */
export class ModelStoreError extends Error {
  override readonly name = 'ModelStoreError';
}

/** The hub is there and does not have this model as the manifest names it; another model may well be had. */
export class ModelNotOffered extends ModelStoreError {}
