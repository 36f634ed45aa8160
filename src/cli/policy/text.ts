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

/** From when on something counts that was just written. */
export function whenText({ effectiveFrom }: { readonly effectiveFrom?: string }): string {
  return effectiveFrom === undefined ? 'now' : `from ${effectiveFrom} on; until then it only warns`;
}

/** A version that was just written. */
export function writtenText(name: string, version: number, when: { readonly effectiveFrom?: string }): string {
  return `${name} has policy version ${version} ${whenText(when)}.`;
}

/** An edit that was just made, and what still waits of the same owner, by the versions there are now. */
export function editedText(
  name: string,
  when: { readonly effectiveFrom?: string },
  { version }: Shown,
  versions: readonly PolicyVersionView[],
): string {
  const waits = versions.find(({ state }) => state === 'coming');
  const counts = versions.find(({ state }) => state === 'in force');
  if (when.effectiveFrom !== undefined || waits?.effectiveFrom === undefined || counts === undefined)
    return writtenText(name, version, when);
  return `${writtenText(name, counts.version, when)}\nVersion ${waits.version} still waits for ${waits.effectiveFrom}, and has this change too.`;
}

/** What a whole document, kept as `version`, took the place of, though its moment had not come; by the versions there were before. */
export function replacedText(before: readonly PolicyVersionView[], version: number): string {
  const waited = before.find(({ state }) => state === 'coming');
  // The same document again changes nothing, and gives the newest number.
  if (waited?.effectiveFrom === undefined || version === before[0]?.version) return '';
  return `\nVersion ${waited.version}, which waited for ${waited.effectiveFrom}, is replaced and will not come.`;
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
