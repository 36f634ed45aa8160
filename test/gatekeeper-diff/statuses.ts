import { KINDS } from './constraints.ts';
import { type Side, until } from './side.ts';

/** What an audit wrote about one constraint. */
export interface AuditStatus {
  readonly constraint: string;
  readonly totalViolations: unknown;
  readonly violations: unknown;
}

interface Stored {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly status?: {
    readonly auditTimestamp?: string;
    readonly totalViolations?: unknown;
    readonly violations?: unknown;
  };
}

/** Waits until an audit that began after this moment has written about every constraint; gives what it wrote, by name. */
export async function auditedSince(side: Side, moment: number): Promise<readonly AuditStatus[]> {
  const kinds = Object.keys(KINDS)
    .map((kind) => `${kind.toLowerCase()}.constraints.gatekeeper.sh`)
    .join(',');
  let found: Stored[] = [];
  await until(`${side.name} to audit`, async () => {
    const shown = await side.cluster.kubectl(['get', kinds, '-ojson']);
    found = (JSON.parse(shown.stdout) as { items: Stored[] }).items;
    const late = found.filter(
      ({ status }) => Date.parse(status?.auditTimestamp ?? '') < moment || !status?.auditTimestamp,
    );
    return late.length === 0 ? undefined : late.map(({ metadata }) => metadata.name).join(', ');
  });
  return found
    .map(({ kind, metadata, status }) => ({
      constraint: `${kind}/${metadata.name}`,
      totalViolations: status?.totalViolations,
      violations: status?.violations,
    }))
    .sort((a, b) => (a.constraint < b.constraint ? -1 : 1));
}

/** Says how two audits differ about one constraint; undefined when they do not. */
export function statusDifference(theirs: AuditStatus, ours: AuditStatus | undefined): string | undefined {
  if (ours === undefined) return `${theirs.constraint}: not audited here`;
  if (theirs.totalViolations !== ours.totalViolations)
    return `${theirs.constraint}: ${String(theirs.totalViolations)} violations there, ${String(ours.totalViolations)} here`;
  const [there, here] = [listOf(theirs.violations), listOf(ours.violations)];
  if (there === undefined || here === undefined)
    return there === here
      ? undefined
      : `${theirs.constraint}: violations ${there ? 'listed' : 'absent'} there, ${here ? 'listed' : 'absent'} here`;
  const differs = there.findIndex((one, index) => one !== here[index]);
  if (differs < 0 && there.length === here.length) return undefined;
  const index = differs < 0 ? there.length : differs;
  return `${theirs.constraint}: violation ${index} is ${there[index] ?? 'absent'} there, ${here[index] ?? 'absent'} here`;
}

/**
 * Each violation as JSON with its keys in one order. Gatekeeper collects the actions of a scoped constraint in a map and lists
 * them as Go walks it, in another order every time (frameworks, `GetEnforcementActionsForEP`): they are compared as a set.
 */
function listOf(violations: unknown): readonly string[] | undefined {
  if (!Array.isArray(violations)) return undefined;
  return violations.map((one: object) => {
    const fields = Object.entries(one).map(([key, value]): [string, unknown] =>
      key === 'enforcementActions' && Array.isArray(value)
        ? [key, value.map(String).sort((a, b) => (a < b ? -1 : 1))]
        : [key, value],
    );
    return JSON.stringify(Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1))));
  });
}
