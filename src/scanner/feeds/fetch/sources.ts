import { fetchCsaf } from './csaf.ts';
import { fetchNvd, fetchSecdb, fetchSingle } from './files.ts';
import { fetchOsv } from './osv.ts';
import type { FetchContext, FetchOutcome } from './types.ts';

/** Something to fetch, as it is named: `osv:Debian`, `alpine-secdb`, `alpine-secdb:v3.20`, `cisa-kev`. */
interface SourceKind {
  /** Where it is to be had when nothing else is said. */
  readonly base: string;
  fetch(scope: string | undefined, context: FetchContext, now: number): Promise<FetchOutcome>;
}

const BRANCHES = ['edge', ...Array.from({ length: 24 - 10 }, (_, n) => `v3.${11 + n}`)];

/** Every kind of source. Addresses are those of the publishers, as of 2026-11. */
export const SOURCE_KINDS: ReadonlyMap<string, SourceKind> = new Map<string, SourceKind>([
  [
    'osv',
    {
      base: 'https://osv-vulnerabilities.storage.googleapis.com',
      fetch: (scope = '', context) => fetchOsv(scope, context),
    },
  ],
  [
    'alpine-secdb',
    {
      base: 'https://secdb.alpinelinux.org',
      fetch: (scope, context) => fetchSecdb(scope === undefined ? BRANCHES : [scope], context),
    },
  ],
  ['debian-tracker', single('https://security-tracker.debian.org/tracker/data/json', 'debian-tracker')],
  [
    'redhat-csaf',
    { base: 'https://security.access.redhat.com/data/csaf/v2/vex', fetch: (_, context) => fetchCsaf(context) },
  ],
  [
    'nvd',
    {
      base: 'https://nvd.nist.gov/feeds/json/cve/2.0',
      fetch: (_, context, now) => fetchNvd(new Date(now).getUTCFullYear(), context),
    },
  ],
  ['cvelist', single('https://github.com/CVEProject/cvelistV5/archive/refs/heads/main.zip', 'cvelist')],
  ['cisa-kev', single('https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json', 'kev')],
  ['epss', single('https://epss.empiricalsecurity.com/epss_scores-current.csv.gz', 'epss')],
]);

function single(base: string, kind: Parameters<typeof fetchSingle>[0]): SourceKind {
  return { base, fetch: (_, context) => fetchSingle(kind, context) };
}

/**
 * What is fetched when nothing is named. Not among them: sources that cost much and add little (NVD, the CVE list and Red Hat's
 * documents, each a gigabyte or more to read), and Wolfi, Chainguard and MinimOS, whose terms an operator has to accept.
 */
export const DEFAULT_SOURCES: readonly string[] = [
  ...[
    'AlmaLinux',
    'Alpine',
    'Bitnami',
    'crates.io',
    'Debian',
    'Go',
    'Maven',
    'npm',
    'NuGet',
    'openSUSE',
    'Packagist',
    'PyPI',
    'Red Hat',
    'Rocky Linux',
    'RubyGems',
    'SUSE',
    'Ubuntu',
  ].map((ecosystem) => `osv:${ecosystem}`),
  'alpine-secdb',
  'debian-tracker',
  'cisa-kev',
  'epss',
];
