import fc from 'fast-check';
import type { Finding } from '../../src/model/finding.ts';
import type { Reason, Verdict } from '../../src/model/verdict.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { EXCEPTION_RULES, type GrantedException } from '../../src/policy/exceptions.ts';
import { judge } from '../../src/policy/judge.ts';
import { anException, DAY, inputs, NOW, SUBJECT } from '../../src/policy/judging.testing.ts';
import type { Law } from './law.ts';

const maybe = <Value>(...values: Value[]) => fc.option(fc.constantFrom(...values), { nil: undefined });
const PLATFORM = 'linux/arm64/v8';

/** Exceptions of every sort: in force, over and still to come; narrowed in every way; for vulnerabilities and for rules. */
const exception: fc.Arbitrary<GrantedException> = fc
  .record({
    about: fc.oneof(
      fc.record({
        vulnerability: fc.constantFrom('CVE-2024-0001', 'cve-2024-0002', 'GHSA-aaaa-bbbb-cccc'),
        name: maybe('openssl', 'busybox'),
        versions: maybe('< 1.0-r1', '>= 1.0-r1', '= 1.0-r0'),
        digest: maybe<string>(SUBJECT, digestOf('another')),
      }),
      fc.record({ rule: fc.constantFrom(...EXCEPTION_RULES), digest: fc.constantFrom(SUBJECT, digestOf('another')) }),
    ),
    repository: maybe('team/*', 'other/**', '**'),
    platform: maybe('linux/arm64', 'linux/amd64'),
    everywhere: maybe(true as const),
    fixDays: maybe(0, 3, 30),
    // Often beginning or ending at this very moment.
    from: fc.constantFrom(-9, -2, -1, 0, 1).map((days) => NOW + days * DAY),
    length: fc.constantFrom(1, 2, 12),
  })
  .map(({ about, from, length, ...narrowing }) => {
    const { vulnerability: _, ...base } = anException({ id: 'the-one', from, until: from + length * DAY });
    const { name, versions, ...subject } = { name: undefined, versions: undefined, ...about };
    const pkg = name === undefined ? {} : { package: { name, type: 'apk' as const }, versions };
    const given = Object.entries({ ...base, ...subject, ...narrowing, ...pkg }).filter(
      ([, value]) => value !== undefined,
    );
    return Object.fromEntries(given) as unknown as GrantedException;
  });

/** Whether it names a made finding: written down a second time, for the few forms that are made here. */
function namesFinding(one: GrantedException, { id, package: pkg }: Finding): boolean {
  const ofPackage = one.package === undefined || one.package.name === pkg.name;
  // Everything is installed as 1.0-r0 here.
  return one.vulnerability?.toUpperCase() === id.toUpperCase() && ofPackage && one.versions !== '>= 1.0-r1';
}

/** The same for the one image there is: front/team/app. */
function namesImage({ digest, platform, repository, everywhere }: GrantedException): boolean {
  const place = repository === undefined || repository === '**' || (repository === 'team/*' && everywhere !== true);
  return place && platform !== 'linux/amd64' && (digest === undefined || digest === SUBJECT);
}

/** What is said, by what it is said about. */
function saidOf(reasons: readonly Reason[]): Map<string, string> {
  const byThing = Map.groupBy(reasons, ({ vulnerability, package: name, rule }) => `${vulnerability ?? rule} ${name}`);
  return new Map([...byThing].map(([key, list]) => [key, JSON.stringify(list)]));
}

const all = ({ counts: { total, suppressed } }: Verdict): number => total + suppressed;

export const laws: readonly Law[] = [
  {
    number: 2,
    says: 'an exception changes only what it names, and nothing before it begins and once it is over',
    property: () =>
      fc.property(inputs, exception, (made, one) => {
        const input = { ...made, platform: PLATFORM };
        const without = judge(input);
        const withIt = judge({ ...input, exceptions: [...input.exceptions, one] });
        // A fix that is known may end it earlier; never does it begin or last longer.
        const counts = one.from <= NOW && NOW < one.until && namesImage(one);
        const named = counts ? input.findings.filter((finding) => namesFinding(one, finding)) : [];
        const names = new Set(named.map(({ id, package: { name } }) => `${id} ${name}`));
        const [before, after] = [saidOf(without.reasons), saidOf(withIt.reasons)];
        for (const [key, said] of after) {
          const rule = counts && one.rule !== undefined && key === `${one.rule} undefined`;
          if (!names.has(key) && !rule && said !== before.get(key)) throw new Error(`says otherwise of ${key}`);
        }
        for (const key of before.keys()) if (!after.has(key)) throw new Error(`says nothing any more of ${key}`);
        if (all(withIt) !== all(without)) throw new Error('takes findings out of the list');
        const ranks = ['allow', 'warn', 'block'];
        if (ranks.indexOf(withIt.kind) > ranks.indexOf(without.kind)) throw new Error('makes a verdict stricter');
        if (!counts && withIt.kind !== without.kind) throw new Error('counts while it is not in force');
      }),
  },
];
