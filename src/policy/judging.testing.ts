import fc from 'fast-check';
import type { Coverage } from '../model/coverage.ts';
import type { Finding } from '../model/finding.ts';
import { SEVERITIES } from '../model/severity.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import type { ClockReading } from './clocks.ts';
import type { GrantedException } from './exceptions.ts';
import type { JudgeInput } from './judge-input.ts';
import { defaultPolicy, type Policy } from './policy.ts';

export const NOW = 1_800_000_000_000;
export const DAY = 86_400_000;
export const SUBJECT: Digest = digestOf('image');

export const fullCoverage: Coverage = {
  distribution: { recognised: true, name: 'Alpine Linux 3.20' },
  gaps: [],
  sources: [{ ecosystem: 'Alpine:v3.20', feed: 'alpine-secdb', completeness: 'complete', records: 1 }],
  missing: [],
};

/** A finding of an apk package; everything can be overridden. */
export function aFinding(over: Partial<Finding> & { readonly name?: string } = {}): Finding {
  const { name = 'openssl', ...rest } = over;
  return {
    id: 'CVE-2024-0001',
    aliases: [],
    package: {
      type: 'apk',
      name,
      version: '1.0-r0',
      purl: `pkg:apk/alpine/${name}@1.0-r0`,
      path: 'lib/apk/db/installed',
    },
    installed: '1.0-r0',
    fixed: '1.0-r1',
    status: 'affected',
    severities: [{ source: 'nvd', severity: 'high', score: 8.1 }],
    advisories: ['ALPINE-CVE-2024-0001'],
    source: 'alpine-secdb',
    ...rest,
  };
}

/** Input of `judge` with nothing remarkable in it; everything can be overridden. */
export function anInput(over: Partial<JudgeInput> = {}): JudgeInput {
  return {
    subject: SUBJECT,
    repository: 'front/team/app',
    inventory: {
      hash: digestOf('inventory'),
      complete: true,
      distribution: { id: 'alpine', version: '3.20.3', idLike: [], rolling: false },
      gaps: [],
    },
    findings: [],
    coverage: fullCoverage,
    policy: defaultPolicy,
    policyVersion: 1,
    exceptions: [],
    clocks: [],
    advisories: { version: digestOf('advisories'), builtAt: NOW - DAY },
    now: NOW,
    ...over,
  };
}

/** An exception for the finding above, in force for a day; everything can be overridden. */
export function anException(over: Partial<GrantedException> = {}): GrantedException {
  return { id: 'exception-1', vulnerability: 'CVE-2024-0001', from: NOW - DAY, until: NOW + DAY, ...over };
}

/** Days of grace by severity, fixable or not; none where none are given. */
export function graceOf(given: Partial<Policy['graceDays']['fixable']>): Policy['graceDays'] {
  const both = { low: 0, medium: 0, high: 0, critical: 0, ...given };
  return { fixable: both, unfixable: both };
}

const names = fc.constantFrom('openssl', 'busybox', 'musl', 'zlib');
const ids = fc.constantFrom('CVE-2024-0001', 'CVE-2024-0002', 'CVE-2024-0003', 'GHSA-aaaa-bbbb-cccc');
const moments = fc.integer({ min: -40, max: 40 }).map((days) => NOW + days * DAY);

const severities = fc.array(
  fc.record({
    source: fc.constantFrom('nvd', 'distribution:alpine', 'ghsa', 'cna:acme', 'cisa-adp'),
    severity: fc.constantFrom(...SEVERITIES),
  }),
  { maxLength: 3 },
);

const finding: fc.Arbitrary<Finding> = fc
  .record({
    id: ids,
    name: names,
    fixable: fc.boolean(),
    severities,
    kev: fc.boolean(),
    epss: fc.option(fc.double({ min: 0, max: 1, noNaN: true }), { nil: undefined }),
    status: fc.constantFrom('affected' as const, 'will_not_fix' as const, 'not_affected' as const, 'fixed' as const),
    headers: fc.boolean(),
  })
  .map(({ id, name, fixable, severities, kev, epss, status, headers }) => {
    const { fixed, ...unfixed } = aFinding({ name, id, severities, status, advisories: [] });
    return {
      ...unfixed,
      ...(fixable && fixed !== undefined ? { fixed } : {}),
      ...(kev ? { kev: '2024-05-01' } : {}),
      ...(headers ? { kernelHeaders: true as const } : {}),
      ...(epss === undefined ? {} : { epss: { probability: epss, percentile: epss } }),
    };
  });

/** Findings as the matcher gives them: one per vulnerability and package. Those of one package have the very same one. */
export const findings = fc
  .uniqueArray(finding, {
    selector: (entry) => `${entry.id} ${entry.package.name}`,
    maxLength: 8,
  })
  .map((list) => {
    const packages = new Map(list.map(({ package: pkg }) => [pkg.name, pkg]));
    return list.map((entry) => ({ ...entry, package: packages.get(entry.package.name) ?? entry.package }));
  });

export const thresholds = ['off', 'critical', 'high', 'medium', 'low', 'none'] as const;
const threshold = fc.constantFrom(...thresholds);
const action = fc.constantFrom('ignore' as const, 'warn' as const, 'block' as const);
const days = fc.integer({ min: 0, max: 30 });

const level = fc.constantFrom('none' as const, 'low' as const, 'high' as const);
const counted = fc.constantFrom('count' as const, 'ignore' as const);
const bySeverity = fc.record({ low: days, medium: days, high: days, critical: days });
const cap = fc.integer({ min: 1, max: 400 });

/** Everything that can be a policy, sensible or not. */
export const policies: fc.Arbitrary<Policy> = fc.record({
  block: fc.record({ fixable: threshold, unfixable: threshold }),
  warn: fc.record({ fixable: threshold, unfixable: threshold }),
  graceDays: fc.record({ fixable: bySeverity, unfixable: bySeverity }),
  counting: fc.record({
    willNotFix: counted,
    fixDeferred: counted,
    underInvestigation: counted,
    endOfLife: counted,
    unimportant: counted,
    kernelHeaders: counted,
  }),
  severitySources: fc.shuffledSubarray(['distribution', 'ghsa', 'cna', 'nvd', 'cisa-adp'], { minLength: 1 }),
  unknownSeverity: level,
  kev: fc.record({
    action,
    graceDays: days,
    overrules: fc.record({ exceptions: fc.boolean(), vex: fc.boolean() }),
  }),
  epss: fc.record({
    threshold: fc.option(fc.oneof(fc.constantFrom(0.1, 0.5), fc.double({ min: 0, max: 1, noNaN: true }))),
    action,
    holdDays: days,
  }),
  unscanned: fc.constantFrom('ignore' as const, 'warn' as const, 'wait' as const, 'block' as const),
  unscannable: action,
  endOfLife: action,
  advisorySample: action,
  advisoryAge: fc.record({ days: fc.option(fc.integer({ min: 1, max: 30 })), action }),
  disallowedTags: fc.record({ globs: fc.subarray(['latest', '*-dev', 'v*']), action }),
  digestRequired: action,
  exceptions: fc.record({
    mostDays: fc.record({ low: cap, medium: cap, high: cap, critical: cap }),
    mostLifeDays: cap,
  }),
  vexAuthors: fc.subarray(['acme', 'upstream']),
  contact: fc.constant({ text: null, link: null }),
  strictIndex: fc.boolean(),
  gateBlobs: fc.constant(false),
});

const comings = fc.oneof(
  { weight: 3, arbitrary: fc.constant([]) },
  fc
    .array(fc.record({ policy: policies, from: fc.integer({ min: 1, max: 30 }).map((day) => NOW + day * DAY) }), {
      minLength: 1,
      maxLength: 2,
    })
    .map((list) => [...new Map(list.map((one) => [one.from, one])).values()].sort((a, b) => a.from - b.from)),
);

const exception: fc.Arbitrary<Omit<GrantedException, 'id'>> = fc
  .record({
    vulnerability: ids,
    name: fc.option(names, { nil: undefined }),
    repository: fc.constantFrom(undefined, '**', 'team/*', 'other/*'),
    from: moments,
    length: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ vulnerability, name, repository, from, length }) => ({
    vulnerability,
    from,
    until: from + length * DAY,
    ...(name === undefined ? {} : { package: { name } }),
    ...(repository === undefined ? {} : { repository }),
  }));

const exceptions: fc.Arbitrary<readonly GrantedException[]> = fc
  .array(exception, { maxLength: 4 })
  .map((list) => list.map((entry, at) => ({ ...entry, id: `exception-${at}` })));

/** Parts of a clock that begin this many days after it. */
const parts = fc.record({
  fix: fc.nat(20),
  kev: fc.nat(20),
  low: fc.nat(20),
  medium: fc.nat(20),
  high: fc.nat(20),
  critical: fc.nat(20),
  scores: fc.array(fc.record({ threshold: fc.constantFrom(0.1, 0.5), above: fc.boolean(), days: fc.nat(40) }), {
    maxLength: 3,
  }),
});

/** Clocks of everything that can be found: in operation no finding is without. */
const clocks: fc.Arbitrary<readonly ClockReading[]> = fc
  .array(fc.tuple(moments, fc.option(parts)), { minLength: 16, maxLength: 16 })
  .map((starts) =>
    ['CVE-2024-0001', 'CVE-2024-0002', 'CVE-2024-0003', 'GHSA-aaaa-bbbb-cccc'].flatMap((vulnerability, row) =>
      ['openssl', 'busybox', 'musl', 'zlib'].map((name, column) => {
        const [start = NOW, since] = starts[row * 4 + column] ?? [];
        const firstSeen = Math.min(NOW, start);
        const after = (days: number) => Math.min(NOW, firstSeen + days * DAY);
        if (!since) return { vulnerability, package: `apk/${name}`, firstSeen };
        const { scores, ...later } = since;
        const moved = Object.fromEntries(Object.entries(later).map(([part, days]) => [part, after(days)]));
        const marks = scores.map(({ days, ...mark }) => ({ ...mark, at: after(days) }));
        return { vulnerability, package: `apk/${name}`, firstSeen, since: { ...moved, scores: marks } };
      }),
    ),
  );

const coverage: fc.Arbitrary<Coverage> = fc
  .record({ recognised: fc.boolean(), sample: fc.boolean(), missing: fc.boolean(), endOfLife: fc.option(moments) })
  .map(({ recognised, sample, missing, endOfLife }) => ({
    distribution: {
      recognised,
      ...(endOfLife === null ? {} : { endOfLife: new Date(endOfLife).toISOString().slice(0, 10) }),
    },
    gaps: [],
    sources: [{ ecosystem: 'npm', feed: 'osv', completeness: sample ? 'sample' : 'complete', records: 3 }],
    missing: missing ? ['Alpine:v3.20'] : [],
  }));

/** Everything that can be judged. */
export const inputs: fc.Arbitrary<JudgeInput & { readonly clocks: readonly ClockReading[] }> = fc
  .record({
    findings,
    policy: policies,
    coming: comings,
    exceptions,
    clocks,
    coverage,
    complete: fc.boolean(),
    builtAt: moments,
  })
  .map(({ complete, builtAt, ...rest }) => {
    const base = anInput(rest);
    return {
      ...base,
      clocks: rest.clocks,
      inventory: { ...base.inventory, complete },
      advisories: { version: digestOf('advisories'), builtAt },
    };
  });
