import { createHash } from 'node:crypto';

/** One line of the ledger as it is kept, exported and verified. Times in epoch ms. */
export interface LedgerEntry {
  /** 1, 2, 3 … without gaps. */
  readonly seq: number;
  readonly at: number;
  /** Who did it; `system` for what happened by itself. */
  readonly actor: string;
  /** Noun and verb, `exception.grant`. */
  readonly action: string;
  /** What it was done to, `front/alpine@sha256:…`. */
  readonly target: string;
  /** JSON object as text, exactly as hashed. */
  readonly details: string;
  readonly previousHash: string;
  readonly hash: string;
}

/** What stands before the first line. */
export const GENESIS = '0'.repeat(64);

/**
 * Hash of a line: sha256 over the JSON array [seq, at, actor, action, target, details, previousHash], hex. Anybody can
 * compute it again from the exported fields alone.
 */
export function hashOf(entry: Omit<LedgerEntry, 'hash'>): string {
  const { seq, at, actor, action, target, details, previousHash } = entry;
  return createHash('sha256')
    .update(JSON.stringify([seq, at, actor, action, target, details, previousHash]))
    .digest('hex');
}

export interface ChainFault {
  /** The line at which the chain breaks. */
  readonly seq: number;
  readonly problem: 'changed' | 'missing-before' | 'out-of-order';
}

/**
 * Checks a run of consecutive lines. `previousHash` is the hash of the line before the first one, when it is known.
 * Gives every fault found: a line whose content does not have its hash, a gap, a line that does not follow its predecessor.
 */
export function findFaults(entries: readonly LedgerEntry[], previousHash?: string): ChainFault[] {
  const faults: ChainFault[] = [];
  let previous: LedgerEntry | undefined;
  for (const entry of entries) {
    const expected = previous?.hash ?? previousHash;
    if (hashOf(entry) !== entry.hash) faults.push({ seq: entry.seq, problem: 'changed' });
    else if (previous && entry.seq <= previous.seq) faults.push({ seq: entry.seq, problem: 'out-of-order' });
    else if (previous && entry.seq > previous.seq + 1) faults.push({ seq: entry.seq, problem: 'missing-before' });
    else if (expected !== undefined && entry.previousHash !== expected)
      faults.push({ seq: entry.seq, problem: 'missing-before' });
    previous = entry;
  }
  return faults;
}
