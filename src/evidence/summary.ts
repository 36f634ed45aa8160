import type { EvidenceDocument } from './document.ts';

/** The figures an auditor looks for first, all of them computed from the document. */
export interface EvidenceSummary {
  readonly stored: {
    readonly projects: number;
    readonly repositories: number;
    readonly manifests: number;
    readonly tags: number;
  };
  /** Stored manifests by what they were judged; `none` is not judged (yet). */
  readonly verdicts: Readonly<Record<'allow' | 'warn' | 'block' | 'none', number>>;
  readonly running: {
    readonly clusters: number;
    readonly images: number;
    readonly untrusted: number;
    readonly blocked: number;
    readonly violations: number;
  };
  readonly changes: { readonly all: number; readonly toBlock: number };
  readonly exceptions: { readonly inForce: number; readonly listed: number };
  readonly trust: { readonly approved: number; readonly reviewDue: number };
  readonly advisories: { readonly sources: number; readonly samples: number; readonly databases: number };
  readonly ledgerLines: number;
}

/** Counts what is in a document. */
export function summarise({ sections }: EvidenceDocument): EvidenceSummary {
  const judged = (kind: 'allow' | 'warn' | 'block' | undefined) =>
    sections.manifests.filter(({ verdict }) => verdict?.kind === kind).length;
  const current = sections.runningImages.filter((image) => image.current);
  const trusted = sections.trustedSources;
  return {
    stored: {
      projects: sections.projects.length,
      repositories: sections.repositories.length,
      manifests: sections.manifests.length,
      tags: sections.repositories.reduce((sum, { tags }) => sum + tags.length, 0),
    },
    verdicts: { block: judged('block'), warn: judged('warn'), allow: judged('allow'), none: judged(undefined) },
    running: {
      clusters: sections.clusters.length,
      images: current.length,
      untrusted: current.filter((image) => !image.trusted).length,
      blocked: current.filter(({ verdict }) => verdict?.kind === 'block').length,
      violations: sections.violations.length,
    },
    changes: {
      all: sections.verdictChanges.length,
      toBlock: sections.verdictChanges.filter(({ kind, previous }) => kind === 'block' && previous !== 'block').length,
    },
    exceptions: {
      inForce: sections.exceptions.filter(({ inForce }) => inForce).length,
      listed: sections.exceptions.length,
    },
    trust: {
      approved: trusted.filter(({ state }) => state === 'approved' || state === 'review due').length,
      reviewDue: trusted.filter(({ state }) => state === 'review due').length,
    },
    advisories: {
      sources: sections.advisorySources.length,
      samples: sections.advisorySources.filter(({ completeness }) => completeness === 'sample').length,
      databases: sections.advisoryVersions.length,
    },
    ledgerLines: sections.ledger.length,
  };
}
