const ABORTED = Symbol('aborted');

/** The items of `source` until `signal` aborts; then it ends at once, whether or not the source obeys. */
export async function* abortable<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let onAbort = () => {};
  const aborted = new Promise<typeof ABORTED>((resolve) => {
    onAbort = () => resolve(ABORTED);
  });
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  let finished = false;
  try {
    for (;;) {
      const next = await Promise.race([aborted, iterator.next()]);
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
