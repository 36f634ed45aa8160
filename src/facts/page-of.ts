import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import {
  currentImages,
  currentQuarantines,
  currentTags,
  currentTrust,
  currentUpstreams,
  type Named,
} from './current.ts';
import { currentReferences } from './current-references.ts';
import type { FactsPage, ImageLine, LaterLine, RepositoryFacts, TagLine, UpstreamPlace } from './page.ts';

/** Names of what a page is to tell about. */
export interface Told {
  /** Repositories that were removed, whether there is one of the name again or not. */
  readonly gone: readonly string[];
  readonly tags: readonly Named[];
  /** Tags that were just read. */
  readonly knownTags: readonly (Named & { readonly digest: string })[];
  readonly images: readonly Named[];
  readonly trust: readonly string[];
  readonly upstreams: readonly string[];
  /** Projects whose policy is told. */
  readonly references: readonly string[];
  /** Digests. */
  readonly quarantined: readonly string[] | 'all';
}

interface Filled {
  gone?: true;
  readonly tags: TagLine[];
  readonly images: ImageLine[];
  later?: LaterLine[];
  quarantined?: string[];
  artifacts?: string[];
}

/** Reads what these names stand for now. */
export async function pageOf(
  deps: { readonly hosts: readonly string[]; readonly clock: Clock; placeOf(url: string): UpstreamPlace },
  db: Db,
  told: Told,
): Promise<Omit<FactsPage, 'cursor' | 'complete'>> {
  const repositories = new Map<string, Filled>();
  const at = (name: string): Filled => {
    const known = repositories.get(name) ?? { tags: [], images: [] };
    repositories.set(name, known);
    return known;
  };
  for (const name of told.gone) at(name).gone = true;
  for (const { repository, item, digest } of told.knownTags) at(repository).tags.push([item, digest]);
  for (const { repository, line } of await currentTags(db, told.tags)) at(repository).tags.push(line);
  for (const { repository, line, later, isQuarantined, isArtifact } of await currentImages(db, told.images)) {
    const filled = at(repository);
    filled.images.push(line);
    if (later) (filled.later ??= []).push([line[0], later]);
    if (isQuarantined) (filled.quarantined ??= []).push(line[0]);
    if (isArtifact) (filled.artifacts ??= []).push(line[0]);
  }
  const quarantined = await currentQuarantines(db, told.quarantined);
  const references = await currentReferences(db, told.references, deps.clock.now());
  const trusted = await currentTrust(db, told.trust);
  const urls = await currentUpstreams(db, told.upstreams);
  return {
    hosts: deps.hosts,
    trusted: told.trust.map((entry) => [entry, trusted.has(entry)]),
    ...(quarantined.length > 0 ? { quarantined } : {}),
    upstreams: told.upstreams.map((project) => {
      const url = urls.get(project);
      return { project, place: url === undefined ? null : deps.placeOf(url) };
    }),
    references,
    repositories: [...repositories].map(([name, filled]): RepositoryFacts => ({ name, ...filled })),
  };
}
