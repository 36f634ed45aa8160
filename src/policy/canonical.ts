import { digestOf } from '../oci/digest.ts';

/** Hash of a plain value that does not depend on the order of object members. Lists keep their order: sort them first. */
export function canonicalHash(value: unknown): string {
  return digestOf(canonicalJson(value));
}

/** Order of two texts by code unit: the same on every machine and in every locale. */
export function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).sort(([a], [b]) => compareText(a, b)));
  });
}
