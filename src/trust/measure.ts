import type { Db } from '../db/database.ts';
import type { Severity } from '../model/severity.ts';
import type { Verdict } from '../model/verdict.ts';
import type { Reference } from '../oci/reference.ts';
import { breathe } from '../platform/breathe.ts';
import type { TrustEntry } from './match/entry.ts';
import { entryCovers } from './match/matcher.ts';
import type { Measured } from './measured.ts';
import { type OriginDeps, type StoredImage, signedAmong, storedFrom } from './stored-from.ts';

const DAY = 86_400_000;
/** Repositories and images of each whose history is read: each verdict may have a hundred kilobytes. */
const REPOSITORIES_READ = 20;
const IMAGES_READ = 30;

/**
 * Measures what is known here of a source, as far as it lies in projects that are looked into. `running`: references that audits saw running, each once; of those from
 * this registry the ones of other projects are left out.
 */
export async function measure(
  deps: OriginDeps & { readonly now: number },
  entry: TrustEntry,
  running: readonly Reference[],
): Promise<Measured> {
  const images = await storedFrom(deps, entry);
  const repositories = [...Map.groupBy(images, ({ repositoryId }) => repositoryId).values()];
  const findings: Partial<Record<Severity, number>> = {};
  const days: number[] = [];
  let fixable = 0;
  const read = repositories.toSorted((a, b) => newest(b) - newest(a)).slice(0, REPOSITORIES_READ);
  for (const own of read) {
    await breathe();
    const history = await verdictsOf(deps.db, own.slice(0, IMAGES_READ));
    const counts = history[0]?.verdict.counts;
    for (const [severity, count] of Object.entries(counts?.bySeverity ?? {}) as [Severity, number][])
      if (count > 0) findings[severity] = (findings[severity] ?? 0) + count;
    fixable += counts?.fixable ?? 0;
    days.push(...daysToFix(history.toReversed()));
  }
  days.sort((a, b) => a - b);
  const median = days[Math.floor(days.length / 2)];
  return {
    at: deps.now,
    images: images.length,
    repositories: repositories.length,
    running: running.filter((reference) => entryCovers(entry, reference) && isSeen(deps, reference)).length,
    signed: await signedAmong(deps.db, images),
    ...(images.length === 0 ? {} : { newestAt: Math.max(...repositories.map(newest)) }),
    findings,
    fixable,
    ...(median === undefined ? {} : { daysToFix: { median: Math.round(median * 10) / 10, fixes: days.length } }),
  };
}

function isSeen({ hosts, projects }: OriginDeps, { registry, repository }: Reference): boolean {
  return projects === 'all' || !hosts.includes(registry) || projects.has(repository.split('/', 1)[0] ?? '');
}

function newest(images: readonly StoredImage[]): number {
  return images[0]?.createdAt ?? 0;
}

interface Judged {
  readonly createdAt: number;
  readonly verdict: Verdict;
}

async function verdictsOf(db: Db, images: readonly StoredImage[]): Promise<readonly Judged[]> {
  const [first] = images;
  if (!first) return [];
  const rows = await db
    .selectFrom('verdicts')
    .select(['digest', 'document'])
    .where('repository_id', '=', first.repositoryId)
    .where(
      'digest',
      'in',
      images.map(({ digest }) => digest),
    )
    .execute();
  const documents = new Map(rows.map(({ digest, document }) => [digest, document]));
  return images.flatMap(({ digest, createdAt }) => {
    const document = documents.get(digest);
    return document === undefined ? [] : [{ createdAt, verdict: JSON.parse(document) as Verdict }];
  });
}

/** Of images in the order they came: for each finding with a fix that the next image does not have, how long that took. */
function daysToFix(history: readonly Judged[]): number[] {
  const days: number[] = [];
  for (const [at, { verdict }] of history.entries()) {
    const next = history[at + 1];
    if (!next) break;
    const left = new Set(next.verdict.reasons.map(keyOf));
    const gone = new Map(
      verdict.reasons
        .filter(
          (reason) => reason.vulnerability !== undefined && reason.fixed !== undefined && !left.has(keyOf(reason)),
        )
        .map((reason) => [keyOf(reason), reason.firstSeen]),
    );
    for (const firstSeen of gone.values())
      if (firstSeen !== undefined) days.push(Math.max(0, next.createdAt - firstSeen) / DAY);
  }
  return days;
}

function keyOf({ vulnerability, package: name }: Verdict['reasons'][number]): string {
  return `${vulnerability ?? ''} ${name ?? ''}`;
}
