import type { Tx } from '../db/database.ts';
import type { Actor } from '../ledger/chain.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { projectOf } from '../model/project-name.ts';
import type { Caller } from './ports.ts';

/** Who changes content, and where that is written down. */
export interface Audit {
  readonly ledger: Pick<Ledger, 'appendLater'>;
  readonly actor: Actor;
}

/** The audit of what a caller does. */
export function auditOf(deps: { readonly ledger: Audit['ledger'] }, caller: Caller): Audit {
  const name = caller.name === '' ? 'anonymous' : caller.name;
  return { ledger: deps.ledger, actor: caller.person === undefined ? name : { name, person: caller.person } };
}

/**
 * Writes a change of a repository into the ledger, in the transaction of the change: one insert that nobody waits for. Without an audit,
 * as for what a mirror fetches by itself, nothing.
 */
export async function writeDown(
  tx: Tx,
  audit: Audit | undefined,
  repository: string,
  change: {
    readonly action: 'manifest.push' | 'manifest.delete' | 'tag.delete' | 'blob.delete';
    /** Behind the name of the repository: `@sha256:…` or `:tag`. */
    readonly what: string;
    readonly details: Readonly<Record<string, unknown>>;
  },
): Promise<void> {
  const { action, what, details } = change;
  const project = projectOf(repository);
  await audit?.ledger.appendLater(tx, { actor: audit.actor, action, target: repository + what, project, details });
}
