import type { Finding } from '../model/finding.ts';
import type { Reason, Verdict } from '../model/verdict.ts';
import { compareText } from '../oci/canonical.ts';
import { EXCEPTION_RULES } from '../policy/exceptions.ts';
import type { Advice, BasePart, ExceptionPart, Part, Plan, UpgradePart } from './advice.ts';
import { asGranted, type Carried, exceptionFor, ruleExceptionFor } from './exception-form.ts';
import { blocking, kindIn, type Matching, rebuilt, type Situation, verdictIn, withUpgrades } from './situation.ts';
import { placesOf, type Upgradable, upgradableKey, upgradablesOf } from './upgradable.ts';

/** The image on another base. */
export interface Rebased {
  readonly part: Omit<BasePart, 'vulnerabilities'>;
  readonly situation: Situation;
}

/**
 * What unblocks an image, the smallest change first: packages brought to other versions, another base, both, or exceptions from
 * what nothing else takes away. Every plan was judged; each of its parts is needed. Pure.
 */
export function advise(situation: Situation, rebased: readonly Rebased[], matching: Matching): Advice {
  const now = verdictIn(situation, matching);
  if (now.kind !== 'block') return { plans: [], obstacles: [] };
  const again = rebuilt(situation);
  const upgrading = changing(again, [], matching);
  const plans = [
    upgrading,
    // Another base is worth it where less is left to do than without.
    ...rebased
      .map((other) => onOtherBase(again, other, matching))
      .filter((plan) => plan && (!upgrading || smallestFirst(plan, upgrading) < 0)),
    excepting(situation, matching),
  ]
    .filter((plan) => plan !== undefined)
    .filter((plan) => !isExceptedAsItIs(situation, plan, matching));
  return {
    plans: distinct(plans).sort(smallestFirst),
    obstacles: [...new Set(obstaclesOf(now, plans))],
  };
}

/** What blocks because of packages that are upgraded together. */
interface Blocked {
  readonly upgradable: Upgradable;
  /** Those that block, about findings. */
  readonly reasons: readonly Reason[];
}

/** True when the exceptions of a plan are enough as long as nothing is built anew: what holds for the old digest goes with it. */
function isExceptedAsItIs(situation: Situation, { parts }: Plan, matching: Matching): boolean {
  const exceptions = parts.filter(({ kind }) => kind === 'exception');
  if (exceptions.length === 0 || exceptions.length === parts.length) return false;
  return kindIn(applied(situation, exceptions, matching), matching) !== 'block';
}

/** Upgrades, and exceptions from what no upgrade takes away. */
function changing(situation: Situation, before: readonly Part[], matching: Matching): Plan | undefined {
  const upgrades: UpgradePart[] = [];
  const left: Blocked[] = [];
  for (const blocked of blockedIn(situation, matching)) {
    const to = versionFor(situation, blocked, matching);
    if (to === undefined) left.push(blocked);
    else upgrades.push(upgradeOf(situation, blocked, to));
  }
  const parts = needed(situation, [...upgrades, ...exceptionsFrom(situation, left)], matching);
  // Without a change nothing is built anew: exceptions alone are asked for as the image is.
  if ([...before, ...parts].every(({ kind }) => kind === 'exception')) return undefined;
  return judged(situation, before, parts, matching);
}

function onOtherBase(old: Situation, { part, situation }: Rebased, matching: Matching): Plan | undefined {
  const other = rebuilt(situation);
  const gone = vulnerabilitiesOf(verdictIn(old, matching));
  for (const id of vulnerabilitiesOf(verdictIn(other, matching))) gone.delete(id);
  const base: BasePart = { ...part, vulnerabilities: [...gone].sort(compareText) };
  const plan = changing(other, [base], matching);
  if (!plan) return undefined;
  // What is left to do on the new base may be all that was to do on the old one.
  const without = applied(old, plan.parts.slice(1), matching);
  return kindIn(without, matching) === 'block' ? plan : undefined;
}

/** Exceptions alone: the image stays what it is. */
function excepting(situation: Situation, matching: Matching): Plan | undefined {
  const whole = blocking(verdictIn(situation, matching)).map(({ rule }) => rule);
  const rules = EXCEPTION_RULES.filter((rule) => whole.includes(rule));
  const parts = [
    ...exceptionsFrom(situation, blockedIn(situation, matching)),
    ...rules.map((rule) => ruleExceptionFor(rule, situation.input)),
  ];
  return judged(situation, [], needed(situation, parts, matching), matching);
}

function exceptionsFrom({ input }: Situation, left: readonly Blocked[]): readonly ExceptionPart[] {
  return carriedBy(left).map((carried) => exceptionFor(carried, input));
}

/** The plan, if it unblocks. */
function judged(
  situation: Situation,
  before: readonly Part[],
  parts: readonly Part[],
  matching: Matching,
): Plan | undefined {
  const kind = kindIn(applied(situation, parts, matching), matching);
  return kind === 'block' ? undefined : { parts: [...before, ...parts], after: kind };
}

/** Without those that others make superfluous: an exception may also speak of what is to be upgraded, by name or by an alias. */
function needed(situation: Situation, parts: readonly Part[], matching: Matching): readonly Part[] {
  const exceptions = parts.filter((part) => part.kind === 'exception');
  const excepted = new Set(exceptions.flatMap(({ vulnerability }) => vulnerability ?? []));
  if (excepted.size === 0) return parts;
  const { inventory, input } = situation;
  const blocks = (findings: readonly Finding[], granted: readonly ExceptionPart[]): boolean => {
    const those = withExceptions({ inventory, input: { ...input, findings } }, granted);
    return vulnerabilitiesOf(verdictIn(those, matching)).size > 0;
  };
  const exceptedBy = (finding: Finding): readonly string[] => idsOf(finding).filter((id) => excepted.has(id));
  const findings = Map.groupBy(input.findings, (finding) => upgradableKey(finding.package));
  const upgrades = parts
    .filter((part) => part.kind === 'upgrade')
    .filter((part) => {
      const own = findings.get(keyOf(part)) ?? [];
      return own.every((finding) => exceptedBy(finding).length === 0) || blocks(own, exceptions);
    });
  const upgraded = new Set(upgrades.map(keyOf));
  const standing = new Map<string, Finding[]>();
  /** Vulnerabilities of findings that several exceptions speak of: all others are needed for what they were made for. */
  const shared = new Set<string>();
  for (const finding of input.findings) {
    if (upgraded.has(upgradableKey(finding.package))) continue;
    const ids = exceptedBy(finding);
    if (ids.length > 1) for (const id of ids) shared.add(id);
    for (const id of ids) standing.set(id, [...(standing.get(id) ?? []), finding]);
  }
  const kept = exceptions.reduce<readonly ExceptionPart[]>((rest, exception) => {
    const { vulnerability } = exception;
    if (vulnerability === undefined || !shared.has(vulnerability)) return rest;
    const others = rest.filter((one) => one !== exception);
    return blocks(standing.get(vulnerability) ?? [], others) ? rest : others;
  }, exceptions);
  return [...upgrades, ...kept];
}

function idsOf({ id, aliases, advisories }: Finding): readonly string[] {
  return [...new Set([id, ...aliases, ...advisories])];
}

/** The situation after some parts of a plan; another base is what it is about already. */
export function applied(situation: Situation, parts: readonly Part[], matching: Matching): Situation {
  const upgrades = parts.filter((part) => part.kind === 'upgrade');
  const versions = new Map(upgrades.map((part) => [keyOf(part), part.to]));
  const exceptions = parts.filter((part) => part.kind === 'exception');
  return withExceptions(withUpgrades(situation, versions, matching), exceptions);
}

function withExceptions({ inventory, input }: Situation, parts: readonly ExceptionPart[]): Situation {
  if (parts.length === 0) return { inventory, input };
  const exceptions = [...input.exceptions, ...parts.map((part) => asGranted(part, input.now))];
  return { inventory, input: { ...input, exceptions } };
}

/** Everything that is upgraded together and blocks, by name. */
function blockedIn(situation: Situation, matching: Matching): readonly Blocked[] {
  const { inventory, input } = situation;
  const reasons = Map.groupBy(blocking(verdictIn(situation, matching)), reasonKey);
  const byKey = Map.groupBy(input.findings, (finding) => upgradableKey(finding.package));
  const named = new Map<string, Set<string>>();
  for (const [key, findings] of byKey)
    for (const finding of findings) {
      const name = findingKey(finding);
      if (reasons.has(name)) named.set(name, (named.get(name) ?? new Set()).add(key));
    }
  const blocked = new Map<string, readonly Reason[]>();
  for (const [key, findings] of byKey) {
    const names = new Set(findings.map(findingKey).filter((name) => reasons.has(name)));
    if (names.size === 0) continue;
    // A reason does not say of which of two packages of one name and version it is.
    const isClear = [...names].every((name) => named.get(name)?.size === 1);
    const own = isClear
      ? [...names].flatMap((name) => reasons.get(name) ?? [])
      : aboutFindings(verdictIn({ inventory, input: { ...input, findings } }, matching));
    if (own.length > 0) blocked.set(key, own);
  }
  const upgradables = upgradablesOf(inventory.packages, new Set(blocked.keys()));
  return [...blocked]
    .flatMap(([key, own]): Blocked[] => {
      const upgradable = upgradables.get(key);
      return upgradable ? [{ upgradable, reasons: own }] : [];
    })
    .sort((a, b) => compareText(a.upgradable.key, b.upgradable.key));
}

function reasonKey({ vulnerability, package: name, installed }: Reason): string {
  return `${vulnerability}\n${name}\n${installed}`;
}

function findingKey({ id, package: pkg, installed }: Finding): string {
  return `${id}\n${pkg.name}\n${installed}`;
}

/** The lowest version named as fixed by which these packages block nothing. */
function versionFor(
  { inventory, input }: Situation,
  { upgradable, reasons }: Blocked,
  matching: Matching,
): string | undefined {
  const named = Map.groupBy(reasons, (reason) => reason.package);
  const unwanted = new Map(
    upgradable.packages.flatMap((pkg) => {
      const vulnerabilities = new Set(named.get(pkg.name)?.flatMap(({ vulnerability }) => vulnerability ?? []));
      return vulnerabilities.size > 0 ? [[`${pkg.name} ${pkg.arch}`, { pkg, vulnerabilities }] as const] : [];
    }),
  );
  return matching.upgradeVersions([...unwanted.values()], inventory.distribution).find((version) => {
    const alone = { inventory: { ...inventory, packages: upgradable.packages }, input: { ...input, findings: [] } };
    const then = verdictIn(withUpgrades(alone, new Map([[upgradable.key, version]]), matching), matching);
    return vulnerabilitiesOf(then).size === 0;
  });
}

function upgradeOf({ inventory }: Situation, { upgradable, reasons }: Blocked, to: string): UpgradePart {
  const { type, name, installed, module, packages } = upgradable;
  return {
    kind: 'upgrade',
    package: name,
    packageType: type,
    ...(module === undefined ? {} : { module }),
    installed,
    to,
    packages: [...new Set(packages.map((pkg) => pkg.name))].sort(compareText),
    vulnerabilities: [...namesIn(reasons)].sort(compareText),
    places: placesOf(packages, inventory.layers),
  };
}

function keyOf({ packageType, package: name, installed, module }: UpgradePart): string {
  return [packageType, name, installed, module].join('\n');
}

/** The same by vulnerability: one exception is enough wherever it is. */
function carriedBy(left: readonly Blocked[]): readonly Carried[] {
  const carried = new Map<
    string,
    { vulnerability: string; reasons: Verdict['reasons'][number][]; upgradables: Upgradable[] }
  >();
  for (const { upgradable, reasons } of left)
    for (const reason of reasons) {
      const { vulnerability } = reason;
      if (vulnerability === undefined) continue;
      const known = carried.get(vulnerability) ?? { vulnerability, reasons: [], upgradables: [] };
      carried.set(vulnerability, known);
      known.reasons.push(reason);
      if (!known.upgradables.includes(upgradable)) known.upgradables.push(upgradable);
    }
  return [...carried.values()].sort((a, b) => compareText(a.vulnerability, b.vulnerability));
}

function vulnerabilitiesOf(verdict: Verdict): Set<string> {
  return namesIn(aboutFindings(verdict));
}

function aboutFindings(verdict: Verdict): readonly Reason[] {
  return blocking(verdict).filter(({ vulnerability }) => vulnerability !== undefined);
}

function namesIn(reasons: readonly Reason[]): Set<string> {
  return new Set(reasons.flatMap(({ vulnerability }) => vulnerability ?? []));
}

/** The reasons that blocked before and that no plan is for; those about findings only when there is no plan at all. */
function obstaclesOf(verdict: Verdict, plans: readonly Plan[]): readonly string[] {
  if (plans.length > 0) return [];
  const reasons = blocking(verdict);
  const whole = reasons.filter(({ vulnerability }) => vulnerability === undefined);
  return (whole.length > 0 ? whole : reasons).map(({ message }) => message);
}

/** Exceptions are no fix: what does with fewer of them comes first, then what does with less. */
function smallestFirst(a: Plan, b: Plan): number {
  return exceptionsIn(a) - exceptionsIn(b) || a.parts.length - b.parts.length;
}

function exceptionsIn({ parts }: Plan): number {
  return parts.filter(({ kind }) => kind === 'exception').length;
}

function distinct(plans: readonly Plan[]): Plan[] {
  return [...new Map(plans.map((plan) => [JSON.stringify(plan.parts), plan])).values()];
}
