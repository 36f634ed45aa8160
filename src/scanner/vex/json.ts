import { isRecord } from '../../platform/json-object.ts';
import { parseRfc3339 } from '../../platform/rfc3339.ts';

/** Members of foreign JSON, read without trusting its shape: what is not of the wanted kind is as good as absent. */
export type Json = Readonly<Record<string, unknown>>;

const LONGEST_TEXT = 8192;

export function asObject(value: unknown): Json | undefined {
  return isRecord(value) ? value : undefined;
}

/** The member of an object; never one that every object inherits. */
export function member(value: unknown, name: string): unknown {
  const object = asObject(value);
  return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
}

export function listOf(value: unknown, name: string): readonly unknown[] {
  const list = member(value, name);
  return Array.isArray(list) ? list : [];
}

/** A text that is not empty, cut where it is unreasonably long. */
export function textOf(value: unknown, name: string): string | undefined {
  return asText(member(value, name));
}

export function asText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, LONGEST_TEXT) : undefined;
}

/** Epoch ms of the first of these members that is there and is a moment as RFC 3339 writes it. */
export function timeOf(value: unknown, ...names: readonly string[]): number | undefined {
  const given = names.map((name) => textOf(value, name)).find((text) => text !== undefined);
  return given === undefined ? undefined : parseRfc3339(given);
}

/**
 * Why a statement cannot be placed in time: one of these members is there and is no moment. Such a statement could be taken for newer than
 * what its author said since.
 */
export function wrongTimeIn(value: unknown, ...names: readonly string[]): string | undefined {
  for (const name of names) {
    const given = member(value, name);
    if (given === undefined || (typeof given === 'string' && parseRfc3339(given) !== undefined)) continue;
    return `${name} ${JSON.stringify(given)?.slice(0, 60)} is no moment like 2026-11-20T12:00:00Z`;
  }
  return undefined;
}
