/**
 * Reads objects one by one: what cannot be read is told with the sentence of its error and left out. Errors of another class
 * than `expected` are thrown.
 */
export function readEach<Value>(
  objects: readonly unknown[],
  read: (object: unknown) => Value,
  expected: new (...parameters: never[]) => Error,
  onUnreadable: (why: string, object: unknown) => void,
): Value[] {
  return objects.flatMap((object) => {
    try {
      return [read(object)];
    } catch (error) {
      if (!(error instanceof expected)) throw error;
      onUnreadable(error.message, object);
      return [];
    }
  });
}
