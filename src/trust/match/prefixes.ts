/** Beginnings of texts, prepared for many questions. */
export interface Prefixes {
  /** The shortest of them that the text begins with; undefined when it begins with none. */
  of(text: string): string | undefined;
}

/** One question costs a binary search, however many beginnings there are. */
export function compilePrefixes(texts: readonly string[]): Prefixes {
  // Without those that begin with another one, which say nothing new, only the text just before can be the beginning.
  const shortest: string[] = [];
  for (const text of [...texts].sort()) {
    const last = shortest.at(-1);
    if (last === undefined || !text.startsWith(last)) shortest.push(text);
  }
  return {
    of(text) {
      let [low, high] = [0, shortest.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((shortest[middle] ?? '') <= text) low = middle + 1;
        else high = middle;
      }
      const before = shortest[low - 1];
      return before !== undefined && text.startsWith(before) ? before : undefined;
    },
  };
}
