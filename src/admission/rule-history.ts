import type { ConstraintKind } from '../constraints/kinds/kinds.ts';
import { isRecord } from '../platform/json-object.ts';

/** What a constraint said from a moment on (epoch ms), as its deciding content; empty = it was not there. */
export interface RuleVersion {
  readonly from: number;
  readonly content: string;
}

/** Told of every constraint as it is read. */
export interface RuleObserver {
  /** It stands so, since `since` as the API server notes it; where that tells nothing, since `now`. */
  stands(
    constraint: { readonly kind: ConstraintKind; readonly name: string; readonly uid: string },
    state: { readonly content: string; readonly since: number | undefined; readonly now: number },
  ): void;
  /** It is not there, or cannot be used. */
  gone(kind: ConstraintKind, name: string, now: number): void;
}

/** What constraints said earlier, so that an edit that denies nothing new is not taken for a new rule. */
export interface RuleHistory extends RuleObserver {
  /** Oldest first, the last one in force; empty when nothing is known of such a constraint. */
  versions(kind: ConstraintKind, name: string): readonly RuleVersion[];
  /** Plain JSON for `load`. */
  save(): unknown;
  /** Adds what was saved, here or by another replica. What has another form is passed over. */
  load(value: unknown): void;
}

interface Kept {
  /** Of the object it was last: one that was made anew while nobody looked is another rule. */
  uid: string;
  versions: readonly RuleVersion[];
}

const MOST_VERSIONS = 16;
const MOST_NAMES = 2000;
/** Characters of everything that is not in force any more. */
const MOST_TEXT = 4_000_000;
/** `kubectl replace --force` takes a constraint away for a moment: that is an edit. */
const SHORTEST_ABSENCE_MS = 60_000;

/**
 * Remembers what each constraint said and since when, bounded: of too many versions the one that was in force for the
 * shortest time is forgotten, so that no number of edits moves the first.
 */
export function createRuleHistory(mostText = MOST_TEXT): RuleHistory {
  const rules = new Map<string, Kept>();

  function put(key: string, uid: string, versions: readonly RuleVersion[]): void {
    rules.delete(key);
    rules.set(key, { uid, versions: settled(versions, MOST_VERSIONS) });
    if (rules.size > MOST_NAMES) {
      const first = [...rules].find(([, { versions: all }]) => all.at(-1)?.content === '') ?? [...rules][0];
      if (first) rules.delete(first[0]);
    }
    while (pastText(rules) > mostText) {
      const longest = [...rules.values()].reduce((a, b) => (textOf(b) > textOf(a) ? b : a));
      longest.versions = settled(longest.versions, longest.versions.length - 1);
    }
  }

  return {
    versions: (kind, name) => rules.get(`${kind}/${name}`)?.versions ?? [],
    stands({ kind, name, uid }, { content, since, now }) {
      const key = `${kind}/${name}`;
      const known = rules.get(key);
      const last = known?.versions.at(-1);
      if (known === undefined || last === undefined || (known.uid !== uid && last.content !== '')) {
        put(key, uid, [{ from: since ?? now, content }]);
      } else if (last.content === content) {
        known.uid = uid;
      } else {
        const from = since !== undefined && since >= last.from ? since : Math.max(now, last.from);
        put(key, uid, [...known.versions, { from, content }]);
      }
    },
    gone(kind, name, now) {
      const known = rules.get(`${kind}/${name}`);
      const last = known?.versions.at(-1);
      if (known === undefined || last === undefined || last.content === '') return;
      put(`${kind}/${name}`, known.uid, [...known.versions, { from: Math.max(now, last.from), content: '' }]);
    },
    save: () => ({
      version: 1,
      rules: [...rules].map(([key, { uid, versions }]) => [
        key,
        uid,
        versions.map(({ from, content }) => [from, content]),
      ]),
    }),
    load(value) {
      const saved: unknown = isRecord(value) ? value['rules'] : undefined;
      for (const entry of Array.isArray(saved) ? saved : []) {
        const [key, uid, pairs] = Array.isArray(entry) ? (entry as unknown[]) : [];
        if (typeof key !== 'string' || typeof uid !== 'string' || !Array.isArray(pairs)) continue;
        const versions = pairs.flatMap((pair: unknown) => versionOf(pair));
        const known = rules.get(key);
        if (versions.length === 0 || (known !== undefined && known.uid !== uid)) continue;
        put(key, uid, [...versions, ...(known?.versions ?? [])]);
        // What stands there now was seen, whatever its moment was taken for.
        const standing = known?.versions.at(-1);
        const last = rules.get(key)?.versions.at(-1);
        if (standing && last && last.content !== standing.content) {
          put(key, uid, [...(rules.get(key)?.versions ?? []), { ...standing, from: last.from }]);
        }
      }
    },
  };
}

function versionOf(pair: unknown): RuleVersion[] {
  const [from, content] = Array.isArray(pair) ? (pair as unknown[]) : [];
  return typeof from === 'number' && Number.isFinite(from) && typeof content === 'string' ? [{ from, content }] : [];
}

/** In order, each change once, without moments of absence, and at most `most`. */
function settled(versions: readonly RuleVersion[], most: number): RuleVersion[] {
  let result = merged([...versions].sort((a, b) => a.from - b.from));
  result = merged(
    result.filter(({ content, from }, at) => {
      const next = result[at + 1];
      return content !== '' || next === undefined || next.from - from >= SHORTEST_ABSENCE_MS;
    }),
  );
  while (result.length > most && result.length > 1) {
    const between = result.slice(1, -1).map(({ from }, at) => (result[at + 2]?.from ?? from) - from);
    const shortest = between.length === 0 ? 0 : 1 + between.indexOf(Math.min(...between));
    result = merged(result.filter((_, at) => at !== shortest));
  }
  return result;
}

function merged(versions: readonly RuleVersion[]): RuleVersion[] {
  return versions.filter(({ content }, at) => at === 0 || versions[at - 1]?.content !== content);
}

function pastText(rules: ReadonlyMap<string, Kept>): number {
  let sum = 0;
  for (const kept of rules.values()) sum += textOf(kept);
  return sum;
}

function textOf({ versions }: Kept): number {
  return versions.slice(0, -1).reduce((sum, { content }) => sum + content.length, 0);
}
