import type { FindingStatus } from '../../../model/finding.ts';
import { isCve } from '../../matcher/ids.ts';
import { compareVersions } from '../../versions/index.ts';
import { type FeedFact, type FeedRecord, type PublishedStatement, problem } from '../advisory.ts';
import { severityOfWord } from '../cvss.ts';
import { type TrackerIssue, type TrackerRelease, trackerIssueSchema } from './schema.ts';

const TRACKER_FEED = 'debian-tracker';

/** The releases OSV names by number. `sid` has no number: it is a rolling release and no image can name its state. */
const RELEASES: ReadonlyMap<string, string> = new Map([
  ['wheezy', '7'],
  ['jessie', '8'],
  ['stretch', '9'],
  ['buster', '10'],
  ['bullseye', '11'],
  ['bookworm', '12'],
  ['trixie', '13'],
  ['forky', '14'],
  ['duke', '15'],
]);
const ROLLING = 'sid';
/** Fixed version that says: no version of this release ever had the vulnerability. */
const NEVER = '0';
const MAX_ISSUES = 200_000;

/**
 * The facts of one source package: for each vulnerability and release what the Debian security team says of it.
 * `TEMP-…` issues have no name that anybody else uses and are kept under it.
 */
export function normalizeTrackerPackage(name: string, issues: unknown): FeedRecord {
  const facts: FeedFact[] = [];
  const ecosystems = new Set<string>();
  const list = typeof issues === 'object' && issues !== null ? Object.entries(issues) : [];
  for (const [id, issue] of list.slice(0, MAX_ISSUES)) {
    const parsed = trackerIssueSchema.safeParse(issue);
    if (parsed.success) addIssue(name, id, parsed.data, facts, ecosystems);
    else facts.push(problem('malformed-record', `${name} ${id}`, parsed.error.issues[0]?.message ?? 'malformed'));
  }
  if (list.length > MAX_ISSUES) facts.push(problem('too-large', name, `${list.length} issues`));
  return { facts, feed: TRACKER_FEED, ecosystems: [...ecosystems], count: list.length };
}

function addIssue(name: string, id: string, issue: TrackerIssue, facts: FeedFact[], ecosystems: Set<string>): void {
  for (const [codename, release] of Object.entries(issue.releases ?? {})) {
    const number = RELEASES.get(codename);
    if (number === undefined) {
      if (codename !== ROLLING) facts.push(problem('unknown-release', `${name} ${id}`, codename));
      continue;
    }
    const ecosystem = `Debian:${number}`;
    const statement = statementOf(id, release);
    if (statement === undefined) {
      facts.push(problem('invalid-version', `${ecosystem} ${name} ${id}`, release.fixed_version ?? release.status));
      continue;
    }
    ecosystems.add(ecosystem);
    facts.push({ kind: 'statement', ecosystem, name, statement });
  }
}

function statementOf(id: string, release: TrackerRelease): PublishedStatement | undefined {
  const fixed = release.status === 'resolved' ? release.fixed_version : undefined;
  if (release.status === 'resolved' && !isVersion(fixed)) return undefined;
  const status = statusOf(release);
  const severity = severityOfWord((release.urgency ?? '').replaceAll('*', ''));
  const advisory = isCve(id) ? `DEBIAN-${id}` : id;
  const never = fixed === NEVER;
  return {
    advisory,
    vulnerabilities: [advisory === id ? [id] : [id, advisory]],
    feed: TRACKER_FEED,
    ranges: never ? [] : [fixed ? { fixed } : {}],
    versions: [],
    severities: severity === undefined ? [] : [{ source: 'distribution:debian', severity }],
    ...(never ? { never: true } : {}),
    ...(status === undefined ? {} : { status }),
  };
}

/** What the security team says beyond affected and fixed. "No DSA" alone is a matter of how the fix is shipped. */
function statusOf({ status, urgency, nodsa_reason: reason }: TrackerRelease): FindingStatus | undefined {
  if (status === 'resolved') return undefined;
  if (status === 'undetermined') return 'under_investigation';
  if (urgency === 'end-of-life') return 'end_of_life';
  if (reason === 'ignored') return 'will_not_fix';
  return reason === 'postponed' ? 'fix_deferred' : undefined;
}

function isVersion(version: string | null | undefined): boolean {
  return typeof version === 'string' && compareVersions('dpkg', version, version) !== undefined;
}
