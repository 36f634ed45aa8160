import type { RunningImages } from '../cluster/running.ts';
import type { Db } from '../db/database.ts';
import { type ImmutableTags, immutableBy } from '../policy/immutable-tags.ts';
import type { TagFacts } from '../policy/retention.ts';
import { selectionText } from '../policy/tag-selection.ts';

/** A tag with what its removal must compare: it is left alone when it was pushed again meanwhile. */
export interface KnownTag extends TagFacts {
  readonly digest: string;
}

export interface FactsQuery {
  readonly repository: { readonly id: string; readonly name: string };
  readonly running: RunningImages;
  readonly immutable: ImmutableTags;
  /** Since when pulls are noted. */
  readonly pullsSince: number;
}

/** Tags by which clients list what is about an image where the registry has no referrers, and cosign signs. */
const ABOUT_AN_IMAGE = /^(sha256|sha512)-([0-9a-f]{64,128})(?:\..+)?$/;

/** Everything that decides about the tags of one repository. */
export async function readTagFacts(db: Db, query: FactsQuery): Promise<KnownTag[]> {
  const { repository, immutable, running } = query;
  const tags = await db
    .selectFrom('tags')
    .select(['name', 'digest', 'updated_at'])
    .where('repository_id', '=', repository.id)
    .orderBy('name')
    .execute();
  const manifests = await db
    .selectFrom('manifests')
    .select(['digest', 'subject'])
    .where('repository_id', '=', repository.id)
    .execute();
  const parents = await readParents(db, repository.id);
  const pulls = await db
    .selectFrom('manifest_pulls')
    .select(['digest', 'pulled_at'])
    .where('repository_id', '=', repository.id)
    .execute();

  const path = repository.name.slice(repository.name.indexOf('/') + 1);
  const subjects = new Map(manifests.map(({ digest, subject }) => [digest, subject]));
  const places = climb(parents, running.digests, (before, place) => before ?? place);
  const pulledAt = climb(parents, new Map(pulls.map((row) => [row.digest, row.pulled_at])), (before, at) =>
    Math.max(before ?? 0, at),
  );
  const byReference = new Map(
    running.references
      .filter(({ reference }) => reference.repository === repository.name)
      .map(({ reference, place }) => [reference.tag ?? 'latest', place]),
  );

  function heldBy(name: string, digest: string): string | undefined {
    const rule = immutableBy(immutable, path, name);
    if (rule) return `immutable by the rule "${selectionText(rule)}"`;
    const place = places.get(digest) ?? byReference.get(name);
    if (place !== undefined) return `runs: ${place}`;
    const about = subjectOfTag(name) ?? subjects.get(digest);
    return about !== undefined && about !== null && subjects.has(about)
      ? `is about ${about}, which is here`
      : undefined;
  }

  return tags.map(({ name, digest, updated_at: pushedAt }) => {
    const known = Math.max(pushedAt, pulledAt.get(digest) ?? 0);
    // Whether something older was pulled before pulls were noted, nobody knows.
    const usedAt = Math.max(known, pushedAt < query.pullsSince ? query.pullsSince : 0);
    return { name, digest, pushedAt, usedAt, heldBy: heldBy(name, digest) };
  });
}

function subjectOfTag(name: string): string | undefined {
  const [, algorithm, hex] = ABOUT_AN_IMAGE.exec(name) ?? [];
  return algorithm === undefined || hex === undefined ? undefined : `${algorithm}:${hex}`;
}

async function readParents(db: Db, repositoryId: string): Promise<ReadonlyMap<string, readonly string[]>> {
  const rows = await db
    .selectFrom('manifest_children')
    .select(['parent_digest', 'child_digest'])
    .distinct()
    .where('repository_id', '=', repositoryId)
    .execute();
  const byChild = Map.groupBy(rows, ({ child_digest }) => child_digest);
  return new Map([...byChild].map(([child, above]) => [child, above.map(({ parent_digest }) => parent_digest)]));
}

/** What is known of manifests, for every index above them too, at any depth. */
function climb<Value>(
  parents: ReadonlyMap<string, readonly string[]>,
  known: ReadonlyMap<string, Value>,
  merge: (before: Value | undefined, value: Value) => Value,
): ReadonlyMap<string, Value> {
  const reached = new Map<string, Value>();
  for (const [digest, value] of known) {
    const above = new Set([digest]);
    // A set visits what is added while it is being walked.
    for (const one of above) {
      reached.set(one, merge(reached.get(one), value));
      for (const parent of parents.get(one) ?? []) above.add(parent);
    }
  }
  return reached;
}
