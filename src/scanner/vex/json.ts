import { isRecord } from '../../platform/json-object.ts';
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

/** Epoch ms of an RFC 3339 time. */
export function timeOf(value: unknown, name: string): number | undefined {
  const at = Date.parse(textOf(value, name) ?? '');
  return Number.isNaN(at) ? undefined : at;
}
