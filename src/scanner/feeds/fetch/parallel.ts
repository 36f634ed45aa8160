const AT_ONCE = 8;

/** Runs a task for each item, a few at the same time; the first failure ends it and is thrown. */
export async function parallel<T>(items: readonly T[], task: (item: T) => Promise<void>): Promise<void> {
  let next = 0;
  let failed = false;
  async function work(): Promise<void> {
    while (!failed) {
      const item = items[next];
      if (next++ >= items.length) return;
      try {
        await task(item as T);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, items.length) }, work));
}
