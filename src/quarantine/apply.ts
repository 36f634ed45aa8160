import type { Db } from '../db/database.ts';
import type { Digest } from '../oci/digest.ts';
import { concernedManifests } from './concerned.ts';
import type { Quarantine } from './quarantine.ts';
import type { QuarantineStore } from './quarantine-store.ts';

export interface ApplyDeps {
  readonly db: Db;
  readonly quarantines: Pick<QuarantineStore, 'unapplied' | 'noteApplied'>;
  /** No verdict on these manifests is relied on any more from the first moment on; then they are judged again. */
  rejudge(manifests: readonly Digest[]): Promise<Rejudged>;
}

/** What became of the verdicts. */
export interface Rejudged {
  readonly judged: number;
  readonly blocked: number;
  readonly released: number;
}

/**
 * Has the verdicts follow a change. After the change is durable: an image that is being judged meanwhile looks again at the end
 * whether anything came under quarantine, and what was judged before is found here.
 */
export async function applyQuarantine(deps: ApplyDeps, quarantine: Quarantine): Promise<Rejudged> {
  const result = await deps.rejudge(await concernedManifests(deps.db, quarantine));
  await deps.quarantines.noteApplied(quarantine);
  return result;
}

/** Takes up what a stop left undone. */
export async function applyQuarantines(deps: ApplyDeps): Promise<void> {
  for (const quarantine of await deps.quarantines.unapplied()) await applyQuarantine(deps, quarantine);
}
