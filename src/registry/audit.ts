import type { Tx } from '../db/database.ts';
import type { Actor } from '../ledger/chain.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { projectOf } from '../model/project-name.ts';
import type { EventData } from '../notify/event-data.ts';
import { addEvents } from '../notify/outbox.ts';
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

/** What is told of a change, beside where it was and who made it. */
type Told = {
  [Type in 'PUSH' | 'DELETE']: {
    readonly type: Type;
    readonly digest: string;
    readonly data: Omit<EventData[Type], 'repository' | 'digest' | 'by'>;
    /** Epoch ms. */
    readonly at: number;
  };
}['PUSH' | 'DELETE'];

/** Tells receivers of a push or a deletion, in its transaction; nobody of what a mirror fetches by itself. */
export async function tellOf(tx: Tx, audit: Audit | undefined, repository: string, told: Told): Promise<void> {
  if (!audit) return;
  const by = typeof audit.actor === 'string' ? audit.actor : audit.actor.name;
  const common = { subject: `${repository}@${told.digest}`, project: projectOf(repository), repository, at: told.at };
  const what = { repository, digest: told.digest, by };
  await addEvents(tx, [
    told.type === 'PUSH'
      ? { ...common, type: told.type, data: { ...what, ...told.data } }
      : { ...common, type: told.type, data: { ...what, ...told.data } },
  ]);
}
