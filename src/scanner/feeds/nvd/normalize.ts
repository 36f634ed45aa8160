import type { SeverityStatement } from '../../../model/severity.ts';
import type { FeedRecord } from '../advisory.ts';
import { severityOfScore, severityOfWord } from '../cvss.ts';
import type { NvdCve, NvdMetric } from './schema.ts';

export const NVD_FEED = 'nvd';

/** Scorers NVD names by a UUID or an address, under the names people know. */
const SCORERS: ReadonlyMap<string, string> = new Map([
  ['nvd@nist.gov', 'nvd'],
  ['134c704f-9b21-4f2e-91b3-4a467353bcc0', 'cisa-adp'],
]);
const ORGANISATIONS: ReadonlyMap<string, string> = new Map([
  ['3a12439a-ef3a-4c79-92e6-6081a721f1e5', 'openssl'],
  ['openssl-security@openssl.org', 'openssl'],
  ['9b29abf9-4ab0-4765-b253-1875cd9b441e', 'cpansec'],
  ['0b0ca135-0b70-47e7-9f44-1890c2a1c46c', 'redhat'],
  ['secalert@redhat.com', 'redhat'],
  ['security-advisories@github.com', 'github'],
]);

/** The severities of one CVE by who scored it (one statement each, of the newest CVSS version), and whether it was rejected. */
export function normalizeNvd(cve: NvdCve): FeedRecord {
  const rejected = cve.vulnStatus === 'Rejected';
  const published = toUtc(cve.published);
  const modified = toUtc(cve.lastModified);
  return {
    facts: [
      {
        kind: 'vulnerability',
        id: cve.id,
        severities: rejected ? [] : severitiesOf(cve),
        rejected,
        ...(published === undefined ? {} : { published }),
      },
    ],
    feed: NVD_FEED,
    ecosystems: ['*'],
    ...(modified === undefined ? {} : { modified }),
  };
}

function severitiesOf(cve: NvdCve): readonly SeverityStatement[] {
  const bySource = new Map<string, SeverityStatement>();
  const { cvssMetricV40, cvssMetricV31, cvssMetricV30, cvssMetricV2 } = cve.metrics ?? {};
  for (const metric of [cvssMetricV40, cvssMetricV31, cvssMetricV30, cvssMetricV2].flatMap((list) => list ?? [])) {
    const source = sourceOf(metric.source, cve.sourceIdentifier ?? undefined);
    if (!bySource.has(source)) bySource.set(source, statementOf(source, metric));
  }
  return [...bySource.values()].sort((a, b) => (a.source < b.source ? -1 : 1));
}

function statementOf(source: string, { cvssData, baseSeverity }: NvdMetric): SeverityStatement {
  const severity = severityOfWord(cvssData.baseSeverity ?? baseSeverity ?? '') ?? severityOfScore(cvssData.baseScore);
  return { source, severity, score: cvssData.baseScore, vector: cvssData.vectorString };
}

/** `nvd`, `cisa-adp`, `cna:<organisation>` when the scorer is the one who assigned the CVE, else `adp:<organisation>`. */
function sourceOf(source: string, assigner: string | undefined): string {
  const scorer = SCORERS.get(source);
  if (scorer !== undefined) return scorer;
  const organisation = organisationOf(source);
  const assigned = assigner === undefined || assigner === source || organisationOf(assigner) === organisation;
  return `${assigned ? 'cna' : 'adp'}:${organisation}`;
}

function organisationOf(source: string): string {
  return ORGANISATIONS.get(source) ?? source.slice(source.lastIndexOf('@') + 1).toLowerCase();
}

/** NVD writes UTC without saying so. */
function toUtc(time: string | null | undefined): string | undefined {
  return time ? (/Z|[+-]\d\d:\d\d$/.test(time) ? time : `${time}Z`) : undefined;
}
