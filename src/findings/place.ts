import { isStorable } from '../platform/storable-text.ts';
import type { SortValue } from './order.ts';
import type { Sort } from './query.ts';

/** Where a page ends: the values its last row is sorted by. */
export interface Place {
  readonly sort: Sort;
  readonly values: readonly SortValue[];
}

type Kind = 'text' | 'integer' | 'number';

/** Kinds of the values of each sort, in their order. */
const KINDS: Readonly<Record<Sort, readonly Kind[]>> = {
  severity: ['integer', 'number', 'integer', 'integer'],
  epss: ['number', 'integer', 'integer'],
  vulnerability: ['text', 'integer', 'integer'],
  package: ['text', 'integer', 'integer'],
  'first-seen': ['integer', 'integer', 'integer'],
  repository: ['text', 'integer', 'number', 'integer'],
};

/** The place as text that means nothing to others. */
export function writePlace({ sort, values }: Place): string {
  return Buffer.from(JSON.stringify([sort, ...values])).toString('base64url');
}

/** Reads it; undefined for what is no place of this sort. */
export function readPlace(text: string, sort: Sort): Place | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  if (!Array.isArray(parsed) || parsed[0] !== sort) return undefined;
  const values = parsed.slice(1) as unknown[];
  const kinds = KINDS[sort];
  if (values.length !== kinds.length || !values.every((value, at) => isValue(value, kinds[at]))) return undefined;
  return { sort, values: values as SortValue[] };
}

function isValue(value: unknown, kind: Kind | undefined): boolean {
  if (typeof value === 'string') return kind === 'text' && value.length <= 1000 && isStorable(value);
  if (typeof value !== 'number') return false;
  return kind === 'integer' ? Number.isSafeInteger(value) : kind === 'number' && Number.isFinite(value);
}
