import { sortIds } from '../../matcher/ids.ts';
import { compareVersions } from '../../versions/index.ts';
import { type FeedFact, type FeedRecord, type PublishedStatement, problem } from '../advisory.ts';
import type { SecdbPackage } from './schema.ts';

export const SECDB_FEED = 'alpine-secdb';
/** Version key that says: this package never had the vulnerability. */
const NEVER = '0';

interface Fix {
  readonly version: string;
  readonly ids: readonly string[];
}

/**
 * The facts of one package of one branch. Every entry is a fix: what is older is affected. Several versions for one id
 * (an incomplete first fix) give several statements, so that the highest decides. "0" gives a negative statement,
 * unless the same entry also names a fix for that id: then the fix is believed.
 */
export function normalizeSecdb(branch: string, pkg: SecdbPackage): FeedRecord {
  const ecosystem = `Alpine:${branch}`;
  const facts: FeedFact[] = [];
  const fixes = Object.entries(pkg.secfixes ?? {}).flatMap(([version, lines]) =>
    (lines ?? []).flatMap((line) => idsOfLine(line).map((ids): Fix => ({ version, ids }))),
  );
  const fixed = new Set(fixes.filter(({ version }) => version !== NEVER).flatMap(({ ids }) => ids));
  for (const { version, ids } of fixes) {
    const [id = ''] = ids;
    const where = `${ecosystem} ${pkg.name} ${id}`;
    if (version === NEVER && fixed.has(id)) {
      facts.push(problem('contradiction', where, 'named as fixed and as never affected; the fix is believed'));
    } else if (version !== NEVER && compareVersions('apk', version, version) === undefined) {
      facts.push(problem('invalid-version', where, version));
    } else {
      facts.push({ kind: 'statement', ecosystem, name: pkg.name, statement: statementOf(version, ids) });
    }
  }
  const count = facts.filter(({ kind }) => kind === 'statement').length;
  return { facts, feed: SECDB_FEED, ecosystems: [ecosystem], count };
}

function statementOf(version: string, ids: readonly string[]): PublishedStatement {
  const [id = ''] = ids;
  return {
    advisory: id.startsWith('CVE-') ? `ALPINE-${id}` : id,
    vulnerabilities: [ids],
    feed: SECDB_FEED,
    ranges: version === NEVER ? [] : [{ fixed: version }],
    versions: [],
    severities: [],
    ...(version === NEVER ? { never: true } : {}),
  };
}

const CVE = /^CVE[-_](\d{4})-(\d{4,19})(?![\d-])/i;
const GHSA = /^GHSA(?:-[23456789cfghjmpqrvwx]{4}){3}$/;

/**
 * The vulnerabilities of one line, which may hold several ids and remarks: `CVE-2016-1234 (+ regression fix)`,
 * `CVE-2016-9377 XSA-196`. Each CVE is one vulnerability; a GHSA id beside a single CVE names the same one. An advisory
 * that covers several CVEs (XSA) is no alias. Without a CVE the first word is the id.
 */
export function idsOfLine(line: string): readonly (readonly string[])[] {
  const words = line.split(/[\s,;]+/).filter((word) => word !== '');
  const cves = words.flatMap((word) => {
    const match = CVE.exec(word);
    return match ? [`CVE-${match[1]}-${match[2]}`] : [];
  });
  const ghsas = words.filter((word) => GHSA.test(word));
  if (cves.length === 1) return [sortIds([...cves, ...ghsas])];
  if (cves.length > 1) return [...new Set(cves)].map((cve) => [cve]);
  const first = ghsas[0] ?? words[0];
  return first === undefined ? [] : [[first.slice(0, 100)]];
}
