import type { ClusterAuditStore, SeenImage } from '../cluster/audit-store.ts';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { normaliseRegistry, type Reference, tryParseReference } from '../oci/reference.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { compileEntries, type TrustMatcher } from '../trust/match/matcher.ts';
import type { Budget } from './budget.ts';
import type { Line } from './lines.ts';
import type { Period } from './period.ts';

export interface RunningDeps {
  readonly db: Db;
  readonly cluster: Pick<ClusterAuditStore, 'clusters' | 'latestRun' | 'violations' | 'images'>;
  /** Host names under which images of this registry are known. */
  readonly hosts: readonly string[];
}

interface StoredVerdict {
  readonly kind: VerdictKind;
  readonly repository: string;
  readonly digest: string;
  readonly judgedAt: number;
}

const STRICTEST: readonly string[] = ['block', 'warn', 'allow'] satisfies VerdictKind[];

/** The newest pass over each cluster and what it found. */
export async function readClusters(
  { cluster }: RunningDeps,
  budget: Budget,
): Promise<{ readonly clusters: Line<'clusters'>[]; readonly violations: Line<'violations'>[] }> {
  const clusters: Line<'clusters'>[] = [];
  const violations: Line<'violations'>[] = [];
  for (const name of await cluster.clusters()) {
    const run = await cluster.latestRun(name);
    if (!run) continue;
    const { id: _id, startedAt, finishedAt, incomplete, ...counts } = run;
    const unread = incomplete.map(({ kind, reason }) => ({ kind, reason }));
    clusters.push({
      ...counts,
      startedAt: toRfc3339(startedAt),
      finishedAt: toRfc3339(finishedAt),
      incomplete: unread,
    });
    for (const {
      constraint,
      action,
      group,
      version,
      kind,
      namespace,
      name: object,
      message,
    } of await cluster.violations(name))
      violations.push(
        budget.take({ cluster: name, constraint, action, group, version, kind, namespace, name: object, message }),
      );
  }
  return { clusters, violations };
}

/** Images that run, or were seen running since the period began, with what is trusted and known about each. */
export async function readRunning(
  deps: RunningDeps,
  period: Period,
  trusted: readonly string[],
  budget: Budget,
): Promise<Line<'runningImages'>[]> {
  const matcher = compileEntries(trusted);
  const lines: Line<'runningImages'>[] = [];
  for (const cluster of await deps.cluster.clusters()) {
    const current = new Set((await deps.cluster.images({ cluster, current: true })).map(placeOf));
    const seen = await deps.cluster.images({ cluster });
    for (const batch of batches(seen.filter((image) => current.has(placeOf(image)) || image.lastSeen >= period.from))) {
      const known = await verdictsOf(deps, batch);
      for (const image of batch)
        lines.push(budget.take(toLine(image, current.has(placeOf(image)), matcher, known.get(image))));
    }
  }
  return lines;
}

function toLine(
  image: SeenImage,
  current: boolean,
  matcher: TrustMatcher,
  verdict: StoredVerdict | undefined,
): Line<'runningImages'> {
  const trustedBy = matcher.match(image.image, tryParseReference(image.image));
  const { firstSeen, lastSeen, ...place } = image;
  return {
    ...place,
    current,
    trusted: trustedBy !== undefined,
    ...(trustedBy === undefined ? {} : { trustedBy }),
    ...(verdict === undefined ? {} : { verdict: { ...verdict, judgedAt: toRfc3339(verdict.judgedAt) } }),
    firstSeen: toRfc3339(firstSeen),
    lastSeen: toRfc3339(lastSeen),
  };
}

/**
 * The kept verdict on each image: of the repository it was pulled from when that is ours, else the strictest of those on a
 * stored copy with the same digest.
 */
async function verdictsOf(
  { db, hosts }: RunningDeps,
  images: readonly SeenImage[],
): Promise<ReadonlyMap<SeenImage, StoredVerdict>> {
  const references = new Map(images.map((image) => [image, tryParseReference(image.image)]));
  const ourHosts = new Set(hosts.map(normaliseRegistry));
  const own = (reference: Reference | undefined) =>
    reference && ourHosts.has(reference.registry) ? reference : undefined;
  const tags = await digestsOfTags(
    db,
    images.flatMap((image) => (image.digest === undefined ? (own(references.get(image))?.repository ?? []) : [])),
  );
  const digestOf = (image: SeenImage) => {
    const reference = references.get(image);
    const ours = own(reference);
    return (
      image.digest ?? reference?.digest ?? (ours && tags.get(JSON.stringify([ours.repository, ours.tag ?? 'latest'])))
    );
  };
  const byDigest = await verdictsByDigest(db, [...new Set(images.flatMap((image) => digestOf(image) ?? []))]);
  const found = new Map<SeenImage, StoredVerdict>();
  for (const image of images) {
    const candidates = byDigest.get(digestOf(image) ?? '') ?? [];
    const ours = own(references.get(image))?.repository;
    const verdict = candidates.find(({ repository }) => repository === ours) ?? candidates[0];
    if (verdict) found.set(image, verdict);
  }
  return found;
}

async function digestsOfTags(db: Db, repositories: readonly string[]): Promise<ReadonlyMap<string, string>> {
  if (repositories.length === 0) return new Map();
  const rows = await db
    .selectFrom('tags as t')
    .innerJoin('repositories as r', 'r.id', 't.repository_id')
    .select(['r.name as repository', 't.name', 't.digest'])
    .where('r.name', 'in', [...new Set(repositories)])
    .execute();
  return new Map(rows.map(({ repository, name, digest }) => [JSON.stringify([repository, name]), digest]));
}

/** Strictest first. */
async function verdictsByDigest(db: Db, digests: readonly string[]): Promise<ReadonlyMap<string, StoredVerdict[]>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom('verdicts as v')
    .innerJoin('repositories as r', 'r.id', 'v.repository_id')
    .select(['v.digest', 'v.kind', 'v.judged_at', 'r.name as repository'])
    .where('v.digest', 'in', digests)
    .orderBy('r.name')
    .execute();
  const verdicts = rows
    .map(({ judged_at, kind, ...row }) => ({ ...row, kind: kind as VerdictKind, judgedAt: judged_at }))
    .sort((a, b) => STRICTEST.indexOf(a.kind) - STRICTEST.indexOf(b.kind));
  return Map.groupBy(verdicts, ({ digest }) => digest);
}

function placeOf({ namespace, kind, name, container }: SeenImage): string {
  return JSON.stringify([namespace, kind, name, container]);
}
