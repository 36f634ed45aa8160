import { canonicalHash } from '../oci/canonical.ts';

/** Who did it: an account, or a robot with the person who answers for it. */
export type Actor = string | { readonly name: string; readonly person: string };

/** One line of the audit log: who did what to which thing, and the hash that ties it to the line before. */
export interface LedgerEntry {
  /** 1, 2, 3 … without gaps. */
  readonly seq: number;
  /** Epoch ms; never earlier than the line before. */
  readonly at: number;
  /** Name of the account, or `system`. For a robot the details say the person (`person`). */
  readonly actor: string;
  /** `noun.verb`, `project.create`. */
  readonly action: string;
  /** What it was done to, `project/front`. */
  readonly target: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Hash of the line before; empty in the first. */
  readonly previousHash: string;
  readonly hash: string;
}

/** Hash before the first line. */
export const GENESIS = '';

/**
 * Hash of a line: SHA-256, as `sha256:<hex>`, over the JSON of `{action, actor, at, details, previousHash, seq, target}`
 * without white space, the members of every object in the order of their names by UTF-16 code unit.
 */
export function hashEntry(entry: Omit<LedgerEntry, 'hash'>): string {
  const { seq, at, actor, action, target, details, previousHash } = entry;
  return canonicalHash({ seq, at, actor, action, target, details, previousHash });
}

/**
 * Checks lines that follow each other, oldest first. Gives the number of the first one that was changed, moved or follows a
 * gap; undefined when the chain holds. `before` is the line in front of the first, when known: without it the first line's
 * own link is taken as given, unless it is number 1.
 */
export function verifyChain(
  entries: Iterable<LedgerEntry>,
  before?: Pick<LedgerEntry, 'seq' | 'hash'>,
): number | undefined {
  let last = before;
  for (const entry of entries) {
    const expected = last ?? { seq: entry.seq - 1, hash: entry.seq === 1 ? GENESIS : entry.previousHash };
    if (entry.seq !== expected.seq + 1 || entry.previousHash !== expected.hash || hashEntry(entry) !== entry.hash) {
      return expected.seq + 1;
    }
    last = entry;
  }
  return undefined;
}
