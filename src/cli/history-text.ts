import type { VerdictChange } from '../api/contract/verdicts.ts';
import { minute } from './moments.ts';
import { table } from './output.ts';

/** How a verdict came to be what it is, newest first: what it was, what it became, what was behind it. */
export function renderHistory(changes: readonly VerdictChange[]): string {
  if (changes.length === 0) return 'Nothing has changed: the verdict is the first one.';
  return table(
    ['at', 'from', 'to', 'because of', 'lines', 'what'],
    changes.map(({ at, previous, kind, cause, causeDetail, added, removed }) => [
      minute(at),
      previous ?? '-',
      kind,
      cause,
      `+${added.length} -${removed.length}`,
      causeDetail ? describe(causeDetail) : '',
    ]),
  );
}

function describe(detail: NonNullable<VerdictChange['causeDetail']>): string {
  const { policy, policySet, advisories, inventory, exceptions, vex, moments = [] } = detail;
  const by = policySet ? ` by ${policySet.by}: ${policySet.reason}` : '';
  return [
    ...(policy ? [`policy version ${policy.from} to ${policy.to}${by}`] : []),
    ...(advisories ? [`advisories ${short(advisories.from)} to ${short(advisories.to)}`] : []),
    ...(inventory ? ['the image was analysed anew'] : []),
    ...(exceptions?.begun ?? []).map((id) => `exception ${id} counts`),
    ...(exceptions?.ended ?? []).map((id) => `exception ${id} counts no more`),
    ...(exceptions?.replaced ?? []).map(({ from, to }) => `exception ${to} is named in place of ${from}`),
    ...(vex?.begun ?? []).map((id) => `VEX document ${id} counts`),
    ...(vex?.ended ?? []).map((id) => `VEX document ${id} counts no more`),
    ...moments.map((moment) => `${moment} came`),
  ].join('; ');
}

function short(version: string): string {
  return version === '' ? 'none' : version.replace(/^sha256:/, '').slice(0, 12);
}
