import type { Reason, Verdict } from '../model/verdict.ts';
import { canonicalHash, compareText } from '../oci/canonical.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { oneLine } from '../platform/one-line.ts';
import { compareReasons } from './reason-order.ts';

/** A quarantine that concerns a manifest. */
export interface QuarantineHit {
  /** Of the quarantine. */
  readonly id: string;
  /** What was put under it: a digest, or a package URL with its versions. */
  readonly target: string;
  /** Epoch ms. */
  readonly since: number;
  readonly reason: string;
  readonly ticket: string;
  /** The package of the image that it names. */
  readonly package?: { readonly name: string; readonly version: string };
}

const LONGEST_REASON = 300;

/**
 * A verdict under the quarantines that concern its manifest: blocked, whatever it came to before and whatever is to come. Nothing is
 * weighed against a quarantine, so it is laid over the verdict and is not part of the weighing. The other lines stay listed.
 */
export function underQuarantine(verdict: Verdict, hits: readonly QuarantineHit[]): Verdict {
  if (hits.length === 0) return verdict;
  const sorted = [...hits].sort((a, b) => compareText(a.id, b.id) || compareText(packageText(a), packageText(b)));
  // What time does to the rest changes nothing here.
  const { becomes: _, ...rest } = verdict;
  return {
    ...rest,
    kind: 'block',
    reasons: [...sorted.map(reasonOf), ...verdict.reasons].sort(compareReasons),
    inputs: { ...verdict.inputs, quarantine: canonicalHash([verdict.inputs.quarantine ?? '', sorted]) },
  };
}

/** The quarantine a verdict rests on, as its worst line; undefined when it rests on none. */
export function quarantineOf(verdict: Pick<Verdict, 'kind' | 'reasons'>): Reason | undefined {
  if (verdict.kind !== 'block') return undefined;
  return verdict.reasons.find(({ rule, kind }) => rule === 'quarantine' && kind === 'block');
}

/** `quarantined since 2026-11-29T10:00:00Z (INC-42): the release was taken over`: the words of every surface. */
export function quarantineSentence({
  since,
  ticket,
  reason,
  package: pkg,
}: Omit<QuarantineHit, 'id' | 'target'>): string {
  const why = oneLine(reason);
  const short = why.length > LONGEST_REASON ? `${why.slice(0, LONGEST_REASON - 3)}...` : why;
  const what = pkg === undefined ? 'quarantined' : `${pkg.name} ${pkg.version} in it is quarantined`;
  return oneLine(`${what} since ${toRfc3339(since)} (${ticket}): ${short}`);
}

function reasonOf(hit: QuarantineHit): Reason {
  return {
    rule: 'quarantine',
    kind: 'block',
    severity: 'critical',
    ...(hit.package === undefined ? {} : { package: hit.package.name, installed: hit.package.version }),
    message: quarantineSentence(hit),
    source: 'quarantine',
  };
}

function packageText({ package: pkg }: QuarantineHit): string {
  return pkg === undefined ? '' : `${pkg.name} ${pkg.version}`;
}
