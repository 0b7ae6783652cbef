const ABORTED = Symbol('aborted');

/** The items of `source` until `signal` aborts; then it ends at once, whether or not the source obeys. */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let leave = () => {};
  const onAbort = () => leave();
  signal.addEventListener('abort', onAbort, { once: true });
  let finished = false;
  try {
    while (!signal.aborted) {
      // Not a race against one promise for all items: that would keep every item until it resolves.
      const next = await new Promise<IteratorResult<T> | typeof ABORTED>((resolve, reject) => {
        leave = () => resolve(ABORTED);
        iterator.next().then(resolve, reject);
      });
      if (next === ABORTED || signal.aborted) return;
      if (next.done) {
        finished = true;
        return;
      }
      yield next.value;
    }
  } catch (error) {
    finished = true;
    throw error;
  } finally {
    signal.removeEventListener('abort', onAbort);
    // Not awaited: an iterator that hangs must not hold up whoever leaves.
    if (!finished) Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
