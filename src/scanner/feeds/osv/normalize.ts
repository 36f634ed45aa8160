import { baseOf, schemeOf } from '../../matcher/ecosystem.ts';
import type { AffectedRange } from '../../matcher/lookup.ts';
import { packageKey } from '../../matcher/package-key.ts';
import { type FeedFact, type FeedRecord, type PublishedStatement, problem } from '../advisory.ts';
import { isCovered } from './covered.ts';
import { rangesOfEvents } from './ranges.ts';
import type { OsvAffected, OsvRecord } from './schema.ts';
import { severitiesOf, statusOf } from './severities.ts';
import { specificsOf } from './specifics.ts';
import { vulnerabilitiesOf } from './vulnerabilities.ts';

/**
 * The facts of one OSV record that concern one ecosystem (a record is in the file of each ecosystem it names).
 * Withdrawn records give none. Ranges of type GIT are left out: nothing in an image has a commit.
 */
export function normalizeOsv(record: OsvRecord, base: string): FeedRecord {
  const feed = `osv:${base}`;
  const ecosystems = new Set<string>();
  const facts: FeedFact[] = [];
  if (record.withdrawn) facts.push(problem('withdrawn', record.id, record.withdrawn));
  const vulnerabilities = record.withdrawn ? [] : vulnerabilitiesOf(record);
  for (const affected of vulnerabilities.length === 0 ? [] : (record.affected ?? [])) {
    const ecosystem = affected.package?.ecosystem;
    if (!affected.package || ecosystem === undefined || baseOf(ecosystem) !== base) continue;
    ecosystems.add(ecosystem);
    const { ranges, versions } = affectedness(record.id, affected, facts);
    if (ranges.length === 0 && versions.length === 0) {
      const commits = affected.ranges?.length && affected.ranges.every(({ type }) => type === 'GIT');
      if (commits) facts.push(problem('commits-only', record.id, `${ecosystem} ${affected.package.name}`));
      continue;
    }
    const statement = { advisory: record.id, vulnerabilities, feed, ranges, versions, ...details(record, affected) };
    facts.push({ kind: 'statement', ecosystem, name: packageKey(ecosystem, affected.package.name), statement });
  }
  return { facts, feed, ecosystems: [...ecosystems], ...(record.modified ? { modified: record.modified } : {}) };
}

function details(
  record: OsvRecord,
  affected: OsvAffected,
): Omit<PublishedStatement, 'advisory' | 'feed' | 'ranges' | 'versions' | 'vulnerabilities'> {
  const status = statusOf(affected);
  return {
    severities: severitiesOf(record, affected),
    ...(status === undefined ? {} : { status }),
    ...(record.published ? { published: record.published } : {}),
    ...specificsOf(record.id, affected),
  };
}

/** Ranges, and those listed versions that no range covers: usually none, the list repeats the ranges. */
function affectedness(
  id: string,
  affected: OsvAffected,
  facts: FeedFact[],
): { ranges: readonly AffectedRange[]; versions: readonly string[] } {
  const scheme = schemeOf(affected.package?.ecosystem ?? '');
  const ranges: AffectedRange[] = [];
  let broken = false;
  for (const range of affected.ranges ?? []) {
    if (range.type === 'GIT') continue;
    const outcome = rangesOfEvents(range.events, scheme);
    ranges.push(...outcome.ranges);
    broken ||= outcome.ranges.length === 0;
    for (const [kind, detail] of outcome.problems) {
      facts.push(problem(kind, id, `${affected.package?.ecosystem} ${affected.package?.name}: ${detail}`));
    }
  }
  const listed = affected.versions ?? [];
  if (ranges.length === 0) return { ranges, versions: listed };
  if (scheme === undefined) return { ranges, versions: broken ? listed : [] };
  return { ranges, versions: listed.filter((version) => !isCovered(scheme, ranges, version)) };
}
