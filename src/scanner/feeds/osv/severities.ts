import type { FindingStatus } from '../../../model/finding.ts';
import type { SeverityStatement } from '../../../model/severity.ts';
import { baseOf } from '../../matcher/ecosystem.ts';
import { baseScore, severityOfScore, severityOfWord } from '../cvss.ts';
import { fieldOf, type OsvAffected, type OsvRecord } from './schema.ts';

/** Publishers that are distributions: their severities are specific to their packages. */
const DISTRIBUTIONS: ReadonlyMap<string, string> = new Map([
  ['Debian', 'debian'],
  ['Ubuntu', 'ubuntu'],
  ['Alpine', 'alpine'],
  ['AlmaLinux', 'almalinux'],
  ['Rocky Linux', 'rocky'],
  ['Red Hat', 'redhat'],
  ['SUSE', 'suse'],
  ['openSUSE', 'opensuse'],
  ['Mageia', 'mageia'],
]);

/** Every severity a record states for one of its packages: CVSS vectors, the publisher's word, a distribution's urgency. */
export function severitiesOf(record: OsvRecord, affected: OsvAffected): readonly SeverityStatement[] {
  const source = sourceOf(record.id, affected.package?.ecosystem ?? '');
  if (record.id.startsWith('MAL-')) return [{ source, severity: 'critical' }];
  const vectors = affected.severity?.length ? affected.severity : (record.severity ?? []);
  const words = [
    fieldOf(affected.ecosystem_specific, 'urgency'),
    fieldOf(affected.ecosystem_specific, 'ubuntu_priority'),
    vectors.find(({ type }) => !type.startsWith('CVSS'))?.score,
    fieldOf(record.database_specific, 'severity'),
    /^(Critical|Important|Moderate|Low):/.exec(record.summary ?? '')?.[1],
  ];
  const word = words.map((text) => severityOfWord(text ?? '')).find((severity) => severity !== undefined);
  const best = bestVector(vectors);
  if (best === undefined) return word === undefined ? [] : [{ source, severity: word }];
  const score = baseScore(best);
  const severity = word ?? (score === undefined ? 'unknown' : severityOfScore(score));
  return [{ source, severity, ...(score === undefined ? {} : { score }), vector: best }];
}

/** What a distribution says about its will to fix. */
export function statusOf(affected: OsvAffected): FindingStatus | undefined {
  return fieldOf(affected.ecosystem_specific, 'urgency') === 'end-of-life' ? 'end_of_life' : undefined;
}

/** The vector with a computable score and the newest version; a v4 vector only when there is no other. */
function bestVector(vectors: readonly { readonly type: string; readonly score: string }[]): string | undefined {
  for (const type of ['CVSS_V3', 'CVSS_V2', 'CVSS_V4']) {
    const found = vectors.find((vector) => vector.type === type);
    if (found !== undefined) return found.score;
  }
  return undefined;
}

/** `distribution:debian`, `ghsa`, `malicious-packages`, else the prefix of the id in lower case: `pysec`, `rustsec`. */
function sourceOf(id: string, ecosystem: string): string {
  const distribution = DISTRIBUTIONS.get(baseOf(ecosystem));
  if (distribution !== undefined) return `distribution:${distribution}`;
  if (id.startsWith('MAL-')) return 'malicious-packages';
  return id.split('-', 1)[0]?.toLowerCase() ?? id;
}
