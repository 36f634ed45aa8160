import fc from 'fast-check';
import type { Coverage } from '../model/coverage.ts';
import type { Inventory, Package } from '../model/inventory.ts';
import type { VerdictKind } from '../model/verdict.ts';
import { digestOf } from '../oci/digest.ts';
import type { GrantedException } from '../policy/exceptions.ts';
import { DAY, NOW, SUBJECT } from '../policy/judging.testing.ts';
import { defaultPolicy, type Policy } from '../policy/policy.ts';
import { inventoryOf, lookupOf } from '../scanner/matcher/lookup.testing.ts';
import type { AdvisoryLookup, AdvisoryStatement, VulnerabilityFacts } from '../scanner/matcher/lookup.ts';
import { createMatcher } from '../scanner/matcher/match.ts';
import { createUpgradeVersions } from '../scanner/matcher/upgrade-versions.ts';
import type { Part } from './advice.ts';
import { advise, applied, type Rebased } from './plan.ts';
import { type Matching, rebuilt, type Situation, verdictIn } from './situation.ts';

/** Everything an advice depends on, made up. */
interface AdviceWorld {
  readonly app: readonly Package[];
  /** Packages that come with each base the image could have. */
  readonly bases: readonly (readonly Package[])[];
  readonly statements: Readonly<Record<string, readonly Partial<AdvisoryStatement>[]>>;
  readonly facts: Readonly<Record<string, Partial<VulnerabilityFacts>>>;
  readonly policy: Policy;
  readonly exceptions: readonly GrantedException[];
  /** The distribution gets no more fixes. */
  readonly ended?: boolean;
}

export const REPOSITORY = 'front/team/app';
const RELEASE = { id: 'alpine', version: '3.20.3' };
const ALPINE = 'Alpine:v3.20';

/** The matcher itself over made-up records. */
export function matchingOf(lookup: AdvisoryLookup, ended = false): Matching {
  const match = createMatcher(lookup);
  const coverage: Coverage = {
    distribution: { recognised: true, name: 'Alpine Linux 3.20', ...(ended ? { endOfLife: '2026-04-01' } : {}) },
    gaps: [],
    sources: [],
    missing: [],
  };
  return {
    evaluate: (inventory) => ({ findings: match(inventory).findings, coverage }),
    upgradeVersions: createUpgradeVersions(lookup),
    assessments: new Map(),
  };
}

export function situationOf(
  inventory: Inventory,
  { policy, exceptions }: Pick<AdviceWorld, 'policy' | 'exceptions'>,
  matching: Matching,
): Situation {
  const { findings, coverage } = matching.evaluate(inventory);
  return {
    inventory,
    input: {
      subject: SUBJECT,
      repository: REPOSITORY,
      inventory: {
        hash: digestOf('inventory'),
        complete: true,
        distribution: inventory.distribution as never,
        gaps: [],
      },
      findings,
      coverage,
      policy,
      policyVersion: 1,
      exceptions,
      clocks: [],
      advisories: { version: 'made up', builtAt: NOW - DAY },
      now: NOW,
    },
  };
}

/** The world's image, the same on its other bases, and what the records say. */
function lay(world: AdviceWorld): {
  readonly situation: Situation;
  readonly rebased: readonly Rebased[];
  readonly matching: Matching;
} {
  const matching = matchingOf(lookupOf(world.statements, world.facts), world.ended);
  const on = (base: readonly Package[]): Situation =>
    situationOf(inventoryOf([...base, ...world.app], RELEASE), world, matching);
  const [own = [], ...others] = world.bases;
  return {
    situation: on(own),
    rebased: others.map((base, at) => ({
      part: {
        kind: 'base',
        from: 'mirror/base:1',
        fromDigest: digestOf('base'),
        to: `mirror/base:${at + 2}`,
        toDigest: digestOf(`base ${at}`),
        layers: 1,
        judgedBy: 'layers',
      },
      situation: on(base),
    })),
    matching,
  };
}

const apkNames = ['musl', 'openssl', 'zlib'] as const;
const npmNames = ['lodash', 'minimist'] as const;
const number = fc.integer({ min: 1, max: 6 });

/** Binary packages of a source have its version. */
const apk = fc
  .record({ source: fc.constantFrom(...apkNames), binary: fc.constantFrom('', '-utils'), version: number })
  .map(({ source, binary, version }): Package => {
    const text = `${version}.0-r0`;
    return {
      type: 'apk',
      name: `${source}${binary}`,
      version: text,
      ...(binary === '' ? {} : { source: { name: source, version: text } }),
      purl: `pkg:apk/alpine/${source}${binary}@${text}`,
      path: 'lib/apk/db/installed',
    };
  });
const npm = fc.record({ name: fc.constantFrom(...npmNames), version: number, place: fc.constantFrom('a', 'b') }).map(
  ({ name, version, place }): Package => ({
    type: 'npm',
    name,
    version: `${version}.0.0`,
    purl: `pkg:npm/${name}@${version}.0.0`,
    path: `${place}/node_modules/${name}/package.json`,
  }),
);
const base = fc.uniqueArray(apk, { selector: ({ name }) => name, maxLength: 4 });
const app = fc.uniqueArray(npm, { selector: ({ path }) => path, maxLength: 4 });

const ids = fc
  .uniqueArray(fc.constantFrom('CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3', 'GHSA-aaaa-bbbb-cccc'), {
    minLength: 1,
    maxLength: 2,
  })
  .map((list) => list.sort());
const statements = (suffix: string) =>
  fc
    .array(
      fc.record({
        ids,
        severity: fc.constantFrom('low' as const, 'high' as const, 'critical' as const),
        from: fc.option(number, { nil: undefined }),
        end: fc.constantFrom('fixed' as const, 'fixed' as const, 'lastAffected' as const, 'never' as const),
        at: number,
        sold: fc.boolean(),
        never: fc.integer({ min: 0, max: 20 }).map((n) => n === 0),
      }),
      { maxLength: 4 },
    )
    .map((list) =>
      list.map(
        ({ ids, severity, from, end, at, sold, never }): Partial<AdvisoryStatement> => ({
          ids,
          advisory: ids[0] as string,
          ranges: [
            {
              ...(from === undefined ? {} : { introduced: `${from}${suffix}` }),
              ...(end === 'never' ? {} : { [end]: `${at + 1}${suffix}` }),
            },
          ],
          severities: [{ source: 'nvd', severity }],
          ...(sold && at > 4 ? { subscription: true as const } : {}),
          ...(never ? { never: true } : {}),
        }),
      ),
    );
const threshold = fc.constantFrom('off' as const, 'none' as const, 'high' as const, 'critical' as const);
const exceptions = fc.array(
  fc
    .record({
      vulnerability: fc.constantFrom('CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3'),
      digest: fc.boolean(),
      package: fc.option(fc.constantFrom(...apkNames, ...npmNames), { nil: undefined }),
    })
    .map(
      ({ vulnerability, digest, package: name }): GrantedException => ({
        id: `exception ${vulnerability} ${name}`,
        vulnerability,
        ...(digest ? { digest: SUBJECT } : {}),
        ...(name === undefined ? {} : { package: { name } }),
        from: NOW - DAY,
        until: NOW + DAY,
      }),
    ),
  { maxLength: 2 },
);

/** Images with packages of a distribution and of a language, records about them, other bases, exceptions that are there already. */
const adviceWorlds: fc.Arbitrary<AdviceWorld> = fc
  .record({
    app,
    bases: fc.array(base, { minLength: 1, maxLength: 3 }),
    apk: fc.tuple(...apkNames.map(() => statements('.0-r0'))),
    npm: fc.tuple(...npmNames.map(() => statements('.0.0'))),
    kev: fc.constantFrom(undefined, 'CVE-2024-1', 'CVE-2024-2'),
    overrules: fc.boolean(),
    block: fc.record({ fixable: threshold, unfixable: threshold }),
    exceptions,
    ended: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
  })
  .map((made) => ({
    ended: made.ended,
    app: made.app,
    bases: made.bases,
    statements: Object.fromEntries([
      ...apkNames.map((name, at) => [`${ALPINE} ${name}`, made.apk[at] ?? []] as const),
      ...npmNames.map((name, at) => [`npm ${name}`, made.npm[at] ?? []] as const),
    ]),
    facts: made.kev === undefined ? {} : { [made.kev]: { kev: '2024-05-01' } },
    policy: {
      ...defaultPolicy,
      block: made.block,
      endOfLife: 'block' as const,
      kev: {
        ...defaultPolicy.kev,
        action: made.overrules ? ('block' as const) : ('warn' as const),
        overrules: { exceptions: made.overrules, vex: false },
      },
    },
    exceptions: made.exceptions,
  }));

/** Every plan unblocks when it is followed, and none of its parts can be left out. */
export function followedAdvice(): fc.IProperty<[AdviceWorld]> {
  return fc.property(adviceWorlds, (world) => {
    const { situation, rebased, matching } = lay(world);
    for (const { parts, after } of advise(situation, rebased, matching).plans) {
      const kind = kindAfter(world, parts);
      if (kind !== after) throw new Error(`${after} was promised, it is ${kind}: ${JSON.stringify(parts)}`);
      for (const left of parts) {
        const others = parts.filter((part) => part !== left);
        if (kindAfter(world, others) !== 'block')
          throw new Error(`it takes no ${JSON.stringify(left)} beside ${JSON.stringify(others)}`);
      }
    }
  });
}

/** The verdict after somebody has done what these parts say, matched and judged anew from the packages up. */
function kindAfter(world: AdviceWorld, parts: readonly Part[]): VerdictKind {
  const { situation, rebased, matching } = lay(world);
  const base = parts.find((part) => part.kind === 'base');
  const start = base ? rebased.find(({ part }) => part.toDigest === base.toDigest)?.situation : situation;
  if (!start) throw new Error(`no base ${base?.to}`);
  const built = parts.some(({ kind }) => kind !== 'exception') ? rebuilt(start) : start;
  const { inventory, input } = applied(built, parts, matching);
  const { findings } = matching.evaluate(inventory);
  return verdictIn({ inventory, input: { ...input, findings } }, matching).kind;
}
