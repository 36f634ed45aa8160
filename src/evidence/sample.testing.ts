import { GENESIS, hashEntry } from '../ledger/chain.ts';
import { type EvidenceDocument, type EvidenceSections, sealDocument } from './document.ts';
import type { Decision, Line } from './lines.ts';
import { toExactTime } from './period.ts';

const DAY = 86_400_000;
const FROM = 1_790_000_000_000;
const TO = FROM + 30 * DAY;
const at = (days: number) => toExactTime(FROM + days * DAY);
const digest = (fill: string) => `sha256:${fill.repeat(64)}`;

/** Text that would end an element, a string or a line, wherever it lands unescaped. */
export const HOSTILE = `</script><script>alert(1)</script><!-- "quoted" 'single' & \n\u202e\u0000`;

const counts = { total: 2, fixable: 1, suppressed: 0, bySeverity: { critical: 1, low: 1 } };
const reason = {
  rule: 'severity-fixable',
  kind: 'block',
  severity: 'critical',
  severitySource: 'nvd',
  vulnerability: 'CVE-2024-0001',
  package: 'zlib',
  installed: '1.0',
  fixed: '1.1',
  kev: true,
  epss: 0.5,
  firstSeen: at(1),
  exception: { id: 'e1', until: at(60) },
  message: HOSTILE,
  source: 'alpine-secdb',
} as const;
const source = {
  ecosystem: 'Alpine:v3.20',
  feed: 'alpine-secdb',
  completeness: 'complete',
  records: 5,
  newest: at(0),
} as const;

/** Lines 3… of an audit log, as `createLedger` chains them. */
function sampleLedger(count: number, before = digest('0')): Line<'ledger'>[] {
  const lines: Line<'ledger'>[] = [];
  for (let seq = 3; seq < 3 + count; seq += 1) {
    const entry = {
      seq,
      at: FROM + seq * DAY,
      actor: seq === 4 ? 'boss' : 'dev',
      action: ['exception.request', 'exception.grant', 'policy.set', 'gate.refuse'][(seq - 3) % 4] ?? 'x',
      target: seq === 5 ? 'project/front' : HOSTILE,
      details:
        seq === 5
          ? { version: 7, reason: 'stricter', policy: { kev: 'block' } }
          : { id: 'e1', reason: `why ${seq}`, nested: [{ n: seq }] },
      previousHash: lines.at(-1)?.hash ?? before,
    };
    lines.push({ ...entry, time: toExactTime(entry.at), hash: hashEntry(entry) });
  }
  return lines;
}

function decision({ action, actor, time, seq }: Line<'ledger'>): Decision {
  return {
    action,
    by: actor,
    at: time,
    reason: `why ${seq}`,
    ledgerLine: seq,
  };
}

/** A small document with something in every section, and lines 3 to 6 of an audit log of nine. */
export function sampleDocument(): EvidenceDocument {
  const ledger = sampleLedger(4);
  const [asked, granted, , last] = ledger as [Line<'ledger'>, Line<'ledger'>, Line<'ledger'>, Line<'ledger'>];
  const verdict = {
    kind: 'block',
    judgedAt: at(2),
    changesAt: at(40),
    counts,
    worst: reason,
    reasons: 2,
    advisories: digest('a'),
    policyVersion: 7,
    inputs: { inventory: digest('b') },
  } as const;
  const sections: EvidenceSections = {
    projects: [
      { name: 'back', public: true, createdBy: 'admin', createdAt: at(-2), members: [] },
      {
        name: 'front',
        public: false,
        createdBy: 'admin',
        createdAt: at(-1),
        upstream: { url: 'https://a.example', freshnessSeconds: 300 },
        members: [{ user: 'dev', role: 'developer' }],
      },
    ],
    policies: [{ owner: 'installation', version: 0, origin: 'built-in', policy: { kev: 'warn', epss: null } }],
    policyVersions: [
      {
        owner: 'project/front',
        version: 7,
        author: 'dev',
        reason: 'stricter',
        createdAt: at(5),
        policy: { kev: 'block' },
      },
    ],
    repositories: [
      {
        name: 'front/app',
        createdAt: at(0),
        manifests: 2,
        tags: [{ name: 'v1', digest: digest('1'), updatedAt: at(2) }],
      },
    ],
    manifests: [
      {
        repository: 'front/app',
        digest: digest('1'),
        kind: 'image',
        mediaType: 'm',
        size: 7,
        tags: ['v1'],
        pushedBy: 'dev',
        pushedAt: at(2),
        verdict,
      },
      {
        repository: 'front/app',
        digest: digest('2'),
        kind: 'artifact',
        mediaType: 'm',
        artifactType: HOSTILE,
        size: 8,
        tags: [],
        pushedBy: 'dev',
        pushedAt: at(3),
      },
    ],
    verdictChanges: [
      {
        at: at(2),
        repository: 'front/app',
        digest: digest('1'),
        kind: 'warn',
        cause: 'push',
        counts,
        added: { total: 30, worst: [reason] },
        removed: { total: 0, worst: [] },
        inputs: { policy: 6 },
      },
      {
        at: at(5),
        repository: 'front/app',
        digest: digest('1'),
        previous: 'warn',
        kind: 'block',
        cause: 'policy',
        counts,
        added: { total: 0, worst: [] },
        removed: { total: 0, worst: [] },
        inputs: { policy: 7 },
      },
    ],
    clusters: [
      {
        cluster: 'prod',
        startedAt: at(29),
        finishedAt: at(29),
        objects: 9,
        violations: 1,
        incomplete: [{ kind: 'CronJob', reason: 'forbidden' }],
      },
    ],
    runningImages: [
      {
        cluster: 'prod',
        namespace: 'web',
        kind: 'Deployment',
        name: 'app',
        container: 'app',
        image: 'registry.example/front/app:v1',
        digest: digest('1'),
        current: true,
        trusted: true,
        trustedBy: 'registry.example',
        verdict: { kind: 'block', repository: 'front/app', digest: digest('1'), judgedAt: at(2) },
        firstSeen: at(2),
        lastSeen: at(29),
      },
      {
        cluster: 'prod',
        namespace: 'web',
        kind: 'Pod',
        name: 'x',
        container: 'x',
        image: 'nginx',
        current: false,
        trusted: false,
        firstSeen: at(2),
        lastSeen: at(9),
      },
    ],
    violations: [
      {
        cluster: 'prod',
        constraint: 'require-harbor-repo',
        action: 'warn',
        group: '',
        version: 'v1',
        kind: 'Pod',
        namespace: 'web',
        name: 'x',
        message: HOSTILE,
      },
    ],
    advisorySources: [source, { ...source, ecosystem: 'npm', completeness: 'sample', note: 'part' }],
    advisoryVersions: [
      { version: digest('a'), builtAt: at(-3), importedAt: at(-2), importedBy: 'admin', sources: [source] },
    ],
    exceptions: [
      {
        id: 'e1',
        project: 'front',
        vulnerability: 'CVE-2024-0001',
        package: 'zlib',
        reason: HOSTILE,
        ticket: 'T-1',
        state: 'granted',
        inForce: true,
        requestedBy: 'dev',
        requestedAt: asked.time,
        decidedBy: 'boss',
        decidedAt: granted.time,
        decisionReason: 'why 4',
        singleHanded: false,
        validFrom: granted.time,
        until: at(60),
        decisions: [decision(asked), decision(granted)],
      },
      {
        id: 'e2',
        project: 'front',
        vulnerability: 'CVE-2024-0002',
        reason: 'r',
        state: 'denied',
        inForce: false,
        requestedBy: 'dev',
        requestedAt: at(-9),
        decidedBy: 'boss',
        decidedAt: at(-8),
        singleHanded: false,
        until: at(60),
        decisions: [],
      },
    ],
    trustedSources: [
      {
        id: 't1',
        scope: 'registry',
        entry: 'registry.example',
        state: 'review due',
        criteria: 'c\nd',
        findings: HOSTILE,
        owner: 'o',
        proposedBy: 'dev',
        proposedAt: at(-50),
        decidedBy: 'boss',
        decidedAt: at(-49),
        decisionReason: 'ok',
        reviewDue: at(3),
        problems: ['broad'],
        decisions: [{ action: 'trust.approve', by: 'boss', at: at(-49), reason: 'ok', ledgerLine: 2 }],
      },
    ],
    users: [
      { name: 'admin', administrator: true, disabled: false, createdAt: at(-90), roles: [] },
      {
        name: 'dev',
        administrator: false,
        disabled: false,
        createdAt: at(-90),
        roles: [{ project: 'front', role: 'developer' }],
      },
    ],
    ledger,
  };
  return sealDocument(
    {
      format: 'breakwater-evidence',
      version: 1,
      installation: { name: HOSTILE, hosts: ['registry.example'], software: 'breakwater 0.1.0' },
      period: { from: toExactTime(FROM), to: toExactTime(TO) },
      exportedAt: toExactTime(TO + DAY),
      advisories: { version: digest('a'), builtAt: at(-3) },
      chain: {
        before: { seq: 2, hash: digest('0') },
        last: { seq: 6, hash: last.hash },
        after: { seq: 7, previousHash: last.hash },
        head: { seq: 9, hash: digest('9') },
        checked: { lines: 9 },
      },
    },
    sections,
  );
}

/** A document that holds a whole audit log, from its first line to its newest. */
export function wholeLedgerDocument(): EvidenceDocument {
  const { sections, seals: _seals, ...header } = sampleDocument();
  const chain: Line<'ledger'>[] = [];
  for (const line of sampleLedger(5)) {
    const entry = { ...line, seq: line.seq - 2, previousHash: chain.at(-1)?.hash ?? GENESIS };
    chain.push({ ...entry, hash: hashEntry(entry) });
  }
  const newest = chain.at(-1) as Line<'ledger'>;
  const head = { seq: newest.seq, hash: newest.hash };
  return sealDocument(
    { ...header, chain: { before: { seq: 0, hash: GENESIS }, last: head, head, checked: { lines: newest.seq } } },
    { ...sections, exceptions: [], policyVersions: [], trustedSources: [], ledger: chain },
  );
}
