/** What a promise comes to if it does so in time (ms), else undefined. The work goes on; its failure is then not reported here. */
export async function within<Value>(work: Promise<Value>, timeMs: number): Promise<Value | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), timeMs);
  });
  // Whoever else waits for the work learns of a failure after the time is over.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
