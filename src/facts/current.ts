import { sql } from 'kysely';
import { batches } from '../db/batches.ts';
import type { Db } from '../db/database.ts';
import type { LaterVerdict, Verdict } from '../model/verdict.ts';
import { breathe } from '../platform/breathe.ts';
import { why } from '../policy/explain.ts';
import { quarantineOf, quarantineSentence } from '../policy/quarantine.ts';
import type { ImageLine, KnownKind, LaterStep, QuarantineLine, TagLine } from './page.ts';

/** A tag or an image of a repository, by names. */
export interface Named {
  readonly repository: string;
  readonly item: string;
}

export interface NamedTag {
  readonly repository: string;
  readonly line: TagLine;
}

export interface NamedImage {
  readonly repository: string;
  readonly line: ImageLine;
  /** What becomes of it by time alone; absent: nothing that is foreseen. */
  readonly later?: readonly LaterStep[];
  readonly isQuarantined: boolean;
  readonly isArtifact: boolean;
}

/** Longest sentence that is told. */
const LONGEST_SENTENCE = 500;
/** Documents of verdicts read at once: each may have a hundred kilobytes. */
const DOCUMENTS = 100;

/** What these tags point at now; those that are gone too. */
export async function currentTags(db: Db, wanted: readonly Named[]): Promise<NamedTag[]> {
  const found: NamedTag[] = [];
  for (const batch of batches(wanted)) {
    const { rows } = await sql<{ repository: string; item: string; digest: string | null }>`
      with n (repository, item) as (values ${valuesOf(batch)})
      select n.repository, n.item, t.digest from n
        left join repositories r on r.name = n.repository
        left join tags t on t.repository_id = r.id and t.name = n.item`.execute(db);
    for (const { repository, item, digest } of rows) found.push({ repository, line: [item, digest] });
  }
  return found;
}

/** What is known of these images now; those that are gone too. */
export async function currentImages(db: Db, wanted: readonly Named[]): Promise<NamedImage[]> {
  const found: NamedImage[] = [];
  for (const batch of batches(wanted, DOCUMENTS)) {
    await breathe();
    const { rows } = await sql<ImageRow>`
      with n (repository, item) as (values ${valuesOf(batch)})
      select n.repository, n.item as digest, m.digest as stored, m.kind as manifest, v.kind, v.judged_at, v.becomes,
        case when v.kind = 'allow' then null else v.document end as document,
        case when v.kind = 'allow' then null else (select max(c.at) from verdict_changes c where c.repository_id = r.id
          and c.digest = n.item and (c.previous is null or c.previous <> c.kind)) end as since
      from n
        left join repositories r on r.name = n.repository
        left join manifests m on m.repository_id = r.id and m.digest = n.item
        left join verdicts v on v.repository_id = r.id and v.digest = n.item`.execute(db);
    for (const row of rows)
      found.push({
        repository: row.repository,
        isArtifact: row.manifest === 'artifact',
        ...toldOf(row),
        ...laterOf(row),
      });
  }
  return found;
}

interface ImageRow {
  readonly repository: string;
  readonly digest: string;
  readonly stored: string | null;
  readonly manifest: string | null;
  readonly kind: string | null;
  readonly judged_at: number | null;
  readonly document: string | null;
  readonly since: number | null;
  readonly becomes: string | null;
}

function toldOf({
  digest,
  stored,
  kind,
  document,
  since,
  judged_at,
}: ImageRow): Pick<NamedImage, 'line' | 'isQuarantined'> {
  const isQuarantined = false;
  if (stored === null) return { line: [digest, null], isQuarantined };
  if (kind === null) return { line: [digest, 'unjudged'], isQuarantined };
  if (document === null) return { line: [digest, 'allow'], isQuarantined };
  const verdict = JSON.parse(document) as Verdict;
  return {
    line: [digest, kind as KnownKind, since ?? judged_at ?? 0, why(verdict, LONGEST_SENTENCE)],
    isQuarantined: quarantineOf(verdict) !== undefined,
  };
}

/** What is said now of these contents; without a list of all that are under quarantine. */
export async function currentQuarantines(db: Db, digests: readonly string[] | 'all'): Promise<QuarantineLine[]> {
  const lines = new Map<string, QuarantineLine>();
  const inForce = db
    .selectFrom('quarantines')
    .selectAll()
    .where('state', '!=', 'released')
    .where('digest', 'is not', null);
  const wanted = digests === 'all' ? [undefined] : batches(digests);
  for (const batch of wanted) {
    for (const digest of batch ?? []) lines.set(digest, [digest, null]);
    const rows = await (batch ? inForce.where('digest', 'in', batch) : inForce).execute();
    for (const { digest, added_at: since, ticket, reason } of rows)
      if (digest !== null) lines.set(digest, [digest, since, quarantineSentence({ since, ticket, reason })]);
  }
  return [...lines.values()];
}

function laterOf({ stored, becomes }: ImageRow): Pick<NamedImage, 'later'> {
  if (stored === null || becomes === null) return {};
  const steps = JSON.parse(becomes) as readonly LaterVerdict[];
  return { later: steps.map(({ at, kind, sentence }) => [at, kind, sentence]) };
}

/** Which of these entries are trusted now. */
export async function currentTrust(db: Db, entries: readonly string[]): Promise<ReadonlySet<string>> {
  const trusted = new Set<string>();
  for (const batch of batches(entries)) {
    const rows = await db
      .selectFrom('trusted_sources')
      .select('entry')
      .where('state', '=', 'approved')
      .where('entry', 'in', batch)
      .execute();
    for (const { entry } of rows) trusted.add(entry);
  }
  return trusted;
}

/** Addresses of the mirror projects among these, by project. */
export async function currentUpstreams(db: Db, projects: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const urls = new Map<string, string>();
  for (const batch of batches(projects)) {
    const rows = await db
      .selectFrom('upstreams as u')
      .innerJoin('projects as p', 'p.id', 'u.project_id')
      .select(['p.name', 'u.url'])
      .where('p.name', 'in', batch)
      .execute();
    for (const { name, url } of rows) urls.set(name, url);
  }
  return urls;
}

function valuesOf(named: readonly Named[]) {
  return sql.join(named.map(({ repository, item }) => sql`(${repository}, ${item})`));
}
