/** The items of `source`, each asked for as soon as the one before it was: one is made while another is used. */
export async function* ahead<T>(source: AsyncIterable<T>): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = () => {
    const next = iterator.next();
    // Whether it is ever wanted is not known: then its error is nobody's.
    next.catch(() => {});
    return next;
  };
  try {
    for (let coming = ask(); ; ) {
      const next = await coming;
      if (next.done) return;
      coming = ask();
      yield next.value;
    }
  } finally {
    // Not awaited: it ends when what it waits for does.
    Promise.resolve(iterator.return?.()).catch(() => {});
  }
}
