import type { Generated } from 'kysely';

/** Append-only, hash-chained log of every decision and change. */
export interface LedgerTable {
  seq: number;
  at: number;
  actor: string;
  action: string;
  target: string;
  details: string;
  previous_hash: string;
  hash: string;
  /** The project it concerns, to find it by; no part of what is hashed. */
  project: string | null;
}

/** Lines that are durable but not numbered and chained yet. */
export interface LedgerPendingTable {
  id: Generated<number>;
  at: number;
  actor: string;
  action: string;
  target: string;
  details: string;
  project: string | null;
}
