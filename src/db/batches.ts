/** Rows per statement: keeps the number of bound values far below both engines' limits. */
const BATCH = 400;

/** Cuts a list into pieces that fit into one statement. */
export function* batches<Item>(items: readonly Item[], size = BATCH): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}
