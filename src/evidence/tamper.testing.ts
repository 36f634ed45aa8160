import type { SectionName } from './lines.ts';

export type Path = readonly (string | number)[];
export type Json = string | number | boolean | null | Json[] | { [name: string]: Json };
type Holder = Record<string | number, Json>;

/** Every member and element of a value, however deep. */
export function pathsOf(value: Json, path: Path = []): Path[] {
  const here = path.length > 0 ? [path] : [];
  if (typeof value !== 'object' || value === null) return here;
  const steps = Object.entries(value).map(([name, member]) =>
    pathsOf(member, [...path, Array.isArray(value) ? Number(name) : name]),
  );
  return [...here, ...steps.flat()];
}

/** A copy in which `change` was done to the holder of the member that `path` names. */
export function altered(value: Json, path: Path, change: (holder: Holder, name: string | number) => void): Json {
  const copy = structuredClone(value);
  let holder = copy as Holder;
  for (const step of path.slice(0, -1)) holder = holder[step] as Holder;
  change(holder, path.at(-1) as string | number);
  return copy;
}

/** Puts something else in its place. */
export function replace(holder: Holder, name: string | number): void {
  holder[name] = otherThan(holder[name] as Json);
}

export function remove(holder: Holder, name: string | number): void {
  if (Array.isArray(holder)) holder.splice(name as number, 1);
  else delete holder[name];
}

/** A value of the same kind that differs as little as can be. */
export function otherThan(value: Json): Json {
  if (typeof value === 'string') return `${value.slice(0, -1)}${value.endsWith('x') ? 'y' : 'x'}`;
  if (typeof value === 'number') return value + 1;
  if (typeof value === 'boolean') return !value;
  return value === null ? 0 : null;
}

/** What a finding about a change of the sample document at `path` must say. */
export function placeOf([part, ...rest]: Path): string {
  if (part === 'sections' && rest.length > 1) {
    const [section, index] = rest as [SectionName, number];
    return section === 'ledger' ? `Line ${index + 3} of the audit log` : `Line ${index + 1} of section "${section}"`;
  }
  if (part === 'seals' && rest[0] === 'sections') return String(rest[1] ?? 'seals');
  return String(part === 'sections' || part === 'seals' ? (rest[0] ?? part) : part);
}
