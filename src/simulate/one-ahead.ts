/** Gives what a source gives, which makes the next one meanwhile. */
export async function* oneAhead<Item>(source: AsyncIterator<Item>): AsyncGenerator<Item> {
  let next = source.next();
  try {
    for (;;) {
      const { value, done } = await next;
      if (done) return;
      next = source.next();
      // Told to whoever asks for it.
      next.catch(() => undefined);
      yield value;
    }
  } finally {
    await next.catch(() => undefined);
  }
}
