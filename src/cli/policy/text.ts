import { stringify } from 'yaml';
import type { ReplyOf } from '../../api/contract/endpoint.ts';
import type { getPolicy, PolicyVersionView } from '../../api/contract/policies.ts';
import { changedFields, FIELD_PATHS, type FieldChange, fieldOf } from '../../policy/policy-fields.ts';
import { minute } from '../moments.ts';
import { table } from '../output.ts';

type Shown = ReplyOf<typeof getPolicy>;

/** The policy that counts, each field with where it comes from, and what is to come. */
export function renderPolicy(name: string, { version, policy, origins, coming }: Shown): string {
  return [
    `# ${name}, version ${version}`,
    table(
      ['field', 'value', 'from'],
      FIELD_PATHS.map((path) => [path, valueText(fieldOf(policy, path)), origins[path] ?? '']),
    ),
    ...coming.flatMap((next) => [
      '',
      `# from ${minute(next.from)} on; until then it only warns`,
      renderChanges(changedFields(policy, next.policy)),
    ]),
  ].join('\n');
}

/** What the owner itself says, in the form that "policy set" takes. */
export function renderOwn(name: string, { version, own }: Shown): string {
  const says =
    Object.keys(own).length === 0 ? '# says nothing of its own: everything is inherited' : stringify(own).trimEnd();
  return `# ${name}, version ${version}\n${says}`;
}

/** Changes field by field. */
export function renderChanges(changes: readonly FieldChange[]): string {
  if (changes.length === 0) return 'no field is different';
  return table(
    ['field', 'before', 'after'],
    changes.map(({ field, before, after }) => [field, valueText(before), valueText(after)]),
  );
}

/** Versions, newest first, with what each changed. */
export function renderHistory(versions: readonly PolicyVersionView[]): string {
  return table(
    ['version', 'at', 'by', 'state', 'changed', 'reason'],
    versions.map(({ version, createdAt, author, state, effectiveFrom, changes, reason }) => [
      String(version),
      minute(createdAt),
      author,
      effectiveFrom === undefined ? state : `${state}, from ${minute(effectiveFrom)}`,
      changes.map(({ field, after }) => `${field}=${valueText(after)}`).join(' '),
      reason,
    ]),
  );
}

/** A value as `--set` takes it; `-` where it is inherited. */
function valueText(value: unknown): string {
  return value === null || value === undefined ? '-' : typeof value === 'string' ? value : JSON.stringify(value);
}
