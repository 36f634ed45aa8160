import type { Severity } from '../../model/severity.ts';

/** Qualitative severity of a CVSS base score, bands of CVSS v3.1 §5 (used for v2 and v4 as well). */
export function severityOfScore(score: number): Severity {
  if (score >= 9) return 'critical';
  if (score >= 7) return 'high';
  if (score >= 4) return 'medium';
  return score > 0 ? 'low' : 'none';
}

/** A severity word of any publisher in our scale; undefined when it is none. */
export function severityOfWord(word: string): Severity | undefined {
  return WORDS.get(word.trim().toLowerCase());
}

const WORDS: ReadonlyMap<string, Severity> = new Map([
  ['none', 'none'],
  ['negligible', 'negligible'],
  ['unimportant', 'negligible'],
  ['low', 'low'],
  ['minor', 'low'],
  ['medium', 'medium'],
  ['moderate', 'medium'],
  ['high', 'high'],
  ['important', 'high'],
  ['major', 'high'],
  ['critical', 'critical'],
] as const);

type Weights = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** Metric weights of CVSS v3.1 §7.4 (privileges apart, they depend on the scope). */
const V3: Weights = {
  AV: { N: 0.85, A: 0.62, L: 0.55, P: 0.2 },
  AC: { L: 0.77, H: 0.44 },
  UI: { N: 0.85, R: 0.62 },
  C: { H: 0.56, L: 0.22, N: 0 },
  I: { H: 0.56, L: 0.22, N: 0 },
  A: { H: 0.56, L: 0.22, N: 0 },
};
const V3_PRIVILEGES: Weights = { U: { N: 0.85, L: 0.62, H: 0.27 }, C: { N: 0.85, L: 0.68, H: 0.5 } };

/** Metric weights of CVSS v2 §3.2.1. */
const V2: Weights = {
  AV: { L: 0.395, A: 0.646, N: 1 },
  AC: { H: 0.35, M: 0.61, L: 0.71 },
  Au: { M: 0.45, S: 0.56, N: 0.704 },
  C: { N: 0, P: 0.275, C: 0.66 },
  I: { N: 0, P: 0.275, C: 0.66 },
  A: { N: 0, P: 0.275, C: 0.66 },
};

/**
 * Base score of a CVSS v2, v3.0 or v3.1 vector by the formulas of the specifications; undefined for a v4 vector
 * (whose score needs a table) and for anything malformed.
 */
export function baseScore(vector: string): number | undefined {
  if (/^CVSS:3\.[01]\//.test(vector)) return scoreV3(metricsOf(vector));
  if (vector.startsWith('CVSS:')) return undefined;
  return scoreV2(metricsOf(vector));
}

function metricsOf(vector: string): ReadonlyMap<string, string> {
  const pairs = vector
    .slice(0, 256)
    .replace(/^\(|\)$/g, '')
    .split('/');
  return new Map(pairs.map((pair) => pair.split(':', 2) as [string, string]));
}

function scoreV3(metrics: ReadonlyMap<string, string>): number | undefined {
  const scope = metrics.get('S') ?? '';
  const weight = (name: string): number => V3[name]?.[metrics.get(name) ?? ''] ?? Number.NaN;
  const privileges = V3_PRIVILEGES[scope]?.[metrics.get('PR') ?? ''] ?? Number.NaN;
  const impactBase = 1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A'));
  const changed = scope === 'C';
  const impact = changed ? 7.52 * (impactBase - 0.029) - 3.25 * (impactBase - 0.02) ** 15 : 6.42 * impactBase;
  const exploitability = 8.22 * weight('AV') * weight('AC') * privileges * weight('UI');
  if (Number.isNaN(impact) || Number.isNaN(exploitability)) return undefined;
  if (impact <= 0) return 0;
  return roundUp(Math.min((changed ? 1.08 : 1) * (impact + exploitability), 10));
}

/** "Roundup" of CVSS v3.1 Appendix A: free of floating point noise. */
function roundUp(value: number): number {
  const scaled = Math.round(value * 100_000);
  return scaled % 10_000 === 0 ? scaled / 100_000 : (Math.floor(scaled / 10_000) + 1) / 10;
}

function scoreV2(metrics: ReadonlyMap<string, string>): number | undefined {
  const weight = (name: string): number => V2[name]?.[metrics.get(name) ?? ''] ?? Number.NaN;
  const impact = 10.41 * (1 - (1 - weight('C')) * (1 - weight('I')) * (1 - weight('A')));
  const exploitability = 20 * weight('AV') * weight('AC') * weight('Au');
  if (Number.isNaN(impact) || Number.isNaN(exploitability)) return undefined;
  const score = (0.6 * impact + 0.4 * exploitability - 1.5) * (impact === 0 ? 0 : 1.176);
  return Math.round(score * 10) / 10;
}
