/** What Maven makes of a version: numbers, words, a word with its number, and lists within lists where a hyphen stands. */
export type Item =
  | { readonly kind: 'number'; readonly digits: string }
  | { readonly kind: 'word'; readonly word: string }
  | { readonly kind: 'pair'; readonly word: string; readonly digits: string }
  | ItemList;

export interface ItemList {
  readonly kind: 'list';
  readonly items: readonly Item[];
}
