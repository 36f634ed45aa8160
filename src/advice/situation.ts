import type { Coverage } from '../model/coverage.ts';
import type { Finding } from '../model/finding.ts';
import type { Distribution, Inventory } from '../model/inventory.ts';
import type { Reason, Verdict, VerdictKind } from '../model/verdict.ts';
import { digestOf } from '../oci/digest.ts';
import type { Assessments } from '../policy/assess.ts';
import { decide, type JudgeInput, judge } from '../policy/judge.ts';
import type { Unwanted } from '../scanner/matcher/upgrade-versions.ts';
import { upgradableKey, upgradedTo } from './upgradable.ts';

/** An image and all that its verdict depends on. */
export interface Situation {
  readonly inventory: Inventory;
  readonly input: JudgeInput;
}

/** What the advisories say. */
export interface Matching {
  evaluate(inventory: Inventory): { readonly findings: readonly Finding[]; readonly coverage: Coverage };
  /** Versions to which packages may be upgraded, lowest first. */
  upgradeVersions(unwanted: readonly Unwanted[], distribution: Distribution | undefined): readonly string[];
  /** What is remembered of findings from one judging to the next. */
  readonly assessments: Assessments;
}

/** Stands for the digest of an image that is still to be built: what is limited to the old one does not hold for it. */
const REBUILT = digestOf('an image that is still to be built');

/** The verdict there would be. */
export function verdictIn({ input }: Situation, { assessments }: Pick<Matching, 'assessments'>): Verdict {
  return judge(input, assessments);
}

/** The kind of that verdict alone, for less. */
export function kindIn({ input }: Situation, { assessments }: Pick<Matching, 'assessments'>): VerdictKind {
  return decide(input, assessments).kind;
}

/** The reasons that block. */
export function blocking({ reasons }: Verdict): readonly Reason[] {
  return reasons.filter(({ kind }) => kind === 'block');
}

/** The same image, built anew. */
export function rebuilt({ inventory, input }: Situation): Situation {
  return { inventory, input: { ...input, subject: REBUILT } };
}

/** The situation with packages brought to other versions, by the keys of their upgradables. */
export function withUpgrades(
  { inventory, input }: Situation,
  versions: ReadonlyMap<string, string>,
  matching: Pick<Matching, 'evaluate'>,
): Situation {
  if (versions.size === 0) return { inventory, input };
  const keys = new Map(inventory.packages.map((pkg) => [pkg, versions.get(upgradableKey(pkg))]));
  const upgraded = inventory.packages.flatMap((pkg) => {
    const version = keys.get(pkg);
    return version === undefined ? [] : [upgradedTo(pkg, version, inventory.distribution)];
  });
  const others = inventory.packages.filter((pkg) => keys.get(pkg) === undefined);
  const untouched = input.findings.filter((finding) => !versions.has(upgradableKey(finding.package)));
  const { findings } = matching.evaluate({ ...inventory, packages: upgraded });
  return {
    inventory: { ...inventory, packages: [...others, ...upgraded] },
    input: { ...input, findings: [...untouched, ...findings] },
  };
}
