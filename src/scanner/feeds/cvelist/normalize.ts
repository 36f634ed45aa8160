import type { SeverityStatement } from '../../../model/severity.ts';
import type { FeedRecord } from '../advisory.ts';
import { severityOfScore, severityOfWord } from '../cvss.ts';
import type { CveContainer, CveMetric, CveRecord } from './schema.ts';

export const CVELIST_FEED = 'cvelist';

/**
 * What the record of a CVE says whatever the package: the severities of who assigned it (`cna:<short name>`), of CISA
 * (`cisa-adp`) and of others who added theirs (`adp:<short name>`), one each, and whether it was rejected.
 */
export function normalizeCve({ cveMetadata, containers }: CveRecord): FeedRecord {
  const rejected = cveMetadata.state === 'REJECTED';
  const { cna, adp } = containers ?? {};
  const assigner = cna?.providerMetadata?.shortName ?? cveMetadata.assignerShortName ?? 'unknown';
  const severities = [
    ...severityOf(cna, `cna:${assigner.toLowerCase()}`),
    ...(adp ?? []).flatMap((container) => severityOf(container, adpSource(container))),
  ];
  return {
    facts: [
      {
        kind: 'vulnerability',
        id: cveMetadata.cveId,
        severities: rejected ? [] : [...severities].sort((a, b) => (a.source < b.source ? -1 : 1)),
        rejected,
        ...(cveMetadata.datePublished ? { published: cveMetadata.datePublished } : {}),
      },
    ],
    feed: CVELIST_FEED,
    ecosystems: ['*'],
    ...(cveMetadata.dateUpdated ? { modified: cveMetadata.dateUpdated } : {}),
  };
}

function adpSource({ providerMetadata }: CveContainer): string {
  const name = (providerMetadata?.shortName ?? 'unknown').toLowerCase();
  return name === 'cisa-adp' ? name : `adp:${name}`;
}

/** The statement of a container: its newest CVSS version, else a severity in words. */
function severityOf(container: CveContainer | null | undefined, source: string): readonly SeverityStatement[] {
  const metrics = container?.metrics ?? [];
  for (const version of ['cvssV4_0', 'cvssV3_1', 'cvssV3_0', 'cvssV2_0'] as const) {
    const cvss = metrics.map((metric) => metric[version]).find((found) => typeof found?.baseScore === 'number');
    if (typeof cvss?.baseScore !== 'number') continue;
    return [
      {
        source,
        severity: severityOfWord(cvss.baseSeverity ?? '') ?? severityOfScore(cvss.baseScore),
        score: cvss.baseScore,
        ...(cvss.vectorString ? { vector: cvss.vectorString } : {}),
      },
    ];
  }
  const severity = metrics.map(wordOf).find((word) => word !== undefined);
  return severity === undefined ? [] : [{ source, severity }];
}

/** A severity in words of the publisher's own scale: `other.content.text`. */
function wordOf({ other }: CveMetric): SeverityStatement['severity'] | undefined {
  const content = other?.content;
  const text = typeof content === 'object' && content !== null && 'text' in content ? content.text : undefined;
  return typeof text === 'string' ? severityOfWord(text) : undefined;
}
