import { z } from 'zod';

/** A row of `guard_changes` that was there when it was read. */
export interface Position {
  readonly id: number;
  readonly mark: number;
}

/** The parts of a full account, in this order. */
export const PHASES = ['trust', 'upstreams', 'policies', 'tags', 'images'] as const;
export type Phase = (typeof PHASES)[number];

/** Where a reader is: at a change, or within a full account that began at that change. */
export interface Cursor {
  readonly at: Position;
  /** What the account is about; of another one nothing can be gone on with. */
  readonly scope: string;
  readonly full?: { readonly phase: Phase; readonly after: readonly [string, string] };
}

const LONGEST = 2048;
/** What an account is made of: whoever has one of other parts gets all of it anew. */
const FORMAT = 2;
const number = z.number().int().nonnegative();
const format = z.literal(FORMAT);
const schema = z.union([
  z.tuple([format, number, number, z.string()]),
  z.tuple([format, number, number, z.string(), z.enum(PHASES), z.string(), z.string()]),
]);

/** The cursor as clients keep it: text that is theirs to send back, not to read. */
export function writeCursor({ at, scope, full }: Cursor): string {
  const begin = [FORMAT, at.id, at.mark, scope];
  const parts = full ? [...begin, full.phase, ...full.after] : begin;
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

/** Undefined for whatever is no cursor of ours. */
export function readCursor(text: string | undefined): Cursor | undefined {
  if (text === undefined || text.length > LONGEST) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(parts);
  if (!parsed.success) return undefined;
  const [, id, mark, scope, phase, ...after] = parsed.data;
  const full = phase === undefined ? undefined : { phase, after: after as [string, string] };
  return { at: { id, mark }, scope, ...(full ? { full } : {}) };
}
