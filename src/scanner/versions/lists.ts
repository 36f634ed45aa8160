import type { Order } from './types.ts';

/** Order of two lists by their first difference; where one has ended, its items are undefined. */
export function compareLists<Item>(
  a: readonly Item[],
  b: readonly Item[],
  order: (x: Item | undefined, y: Item | undefined) => Order,
): Order {
  for (let i = 0; i < Math.max(a.length, b.length); i += 1) {
    const difference = order(a[i], b[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The same order from the other side. */
export function reverse(order: Order): Order {
  return order === 0 ? 0 : order === 1 ? -1 : 1;
}
