import type { Db } from '../db/database.ts';
import type { Verdict } from '../model/verdict.ts';
import { judgeArtifact } from '../policy/judge-artifact.ts';
import { type IndexChild, judgeIndex } from '../policy/judge-index.ts';
import { manifestChildren } from '../registry/manifest-reader.ts';
import type { Sources } from './sources.ts';
import { findSubject, type Subject } from './subjects.ts';

/** An entry of an index, with what is stored for it where that is an image or an index. */
export interface IndexEntry extends Omit<IndexChild, 'verdict'> {
  readonly stored?: Subject;
}

/** The entries of an index, each platform of a manifest once. */
export async function indexEntries(db: Db, { repositoryId, digest }: Subject): Promise<readonly IndexEntry[]> {
  const listed = await manifestChildren(db, repositoryId, digest);
  const different = new Map(listed.map((child) => [`${child.digest} ${child.platform}`, child]));
  return Promise.all(
    [...different.values()].map(async ({ digest: child, platform, kind }): Promise<IndexEntry> => {
      const known = { digest: child, ...(platform === undefined ? {} : { platform }) };
      const stored = kind && (await findSubject(db, repositoryId, child));
      if (!stored) return { ...known, state: 'absent' };
      return stored.kind === 'artifact' ? { ...known, state: 'other' } : { ...known, state: 'runnable', stored };
    }),
  );
}

/** What the verdict on an index depends on besides its entries and the moment. */
export async function indexInput(sources: Sources, subject: Subject) {
  const { policy, coming = [], version } = await sources.policies.effectivePolicy(subject.projectId);
  return { subject: subject.digest, policy, coming, policyVersion: version, advisories: advisoriesVersion(sources) };
}

/** Computes the verdict on an index from those on its entries; `verdictOf` gives none for what was never judged. */
export async function computeIndex(
  sources: Sources,
  subject: Subject,
  verdictOf: (stored: Subject) => Promise<Verdict | undefined>,
): Promise<Verdict> {
  const entries = await indexEntries(sources.db, subject);
  const children = await Promise.all(
    entries.map(async ({ stored, ...entry }): Promise<IndexChild> => {
      const verdict = stored && (await verdictOf(stored));
      return { ...entry, ...(verdict ? { verdict } : {}) };
    }),
  );
  return judgeIndex({ ...(await indexInput(sources, subject)), children, now: sources.clock.now() });
}

/** What the verdict on a manifest that nothing runs depends on besides the moment. */
export async function artifactInput(sources: Sources, subject: Subject) {
  const { version } = await sources.policies.effectivePolicy(subject.projectId);
  return {
    subject: subject.digest,
    ...(subject.artifactType === undefined ? {} : { artifactType: subject.artifactType }),
    policyVersion: version,
    advisories: advisoriesVersion(sources),
  };
}

/** Computes the verdict on a manifest that nothing runs. */
export async function computeArtifact(sources: Sources, subject: Subject): Promise<Verdict> {
  return judgeArtifact({ ...(await artifactInput(sources, subject)), now: sources.clock.now() });
}

/** Version of the advisories in use; empty when there are none. */
export function advisoriesVersion({ advisories }: Pick<Sources, 'advisories'>): string {
  return advisories.current()?.version ?? '';
}
