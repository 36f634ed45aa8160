import type { Reason, Verdict } from '../model/verdict.ts';

interface FromTo<Value> {
  readonly from: Value;
  readonly to: Value;
}

interface BegunEnded {
  readonly begun: readonly string[];
  readonly ended: readonly string[];
}

/** What exactly is behind a verdict that differs from the one before; several things may have changed in between. */
export interface CauseDetail {
  /** Numbers of policy versions. */
  readonly policy?: FromTo<number>;
  /** Versions of the advisory database; empty for none. */
  readonly advisories?: FromTo<string>;
  /** Hashes of what is in the image: it was analysed anew. */
  readonly inventory?: FromTo<string>;
  /** Ids of exceptions that came to count for a line, or do so no more; and which lines name in the place of another that counts still. */
  readonly exceptions?: BegunEnded & { readonly replaced?: readonly FromTo<string>[] };
  /** The same with VEX documents. */
  readonly vex?: BegunEnded;
  /** Ends of grace periods and exceptions that passed, epoch ms. */
  readonly moments?: readonly number[];
}

/** Compares what two verdicts rest on; `added` and `removed` are the lines that differ. */
export function causeDetailOf(
  before: Verdict,
  after: Verdict,
  { added, removed }: { readonly added: readonly Reason[]; readonly removed: readonly Reason[] },
): CauseDetail {
  const passed = (moment: number | undefined): moment is number =>
    moment !== undefined && before.judgedAt < moment && moment <= after.judgedAt;
  const moments = new Set([
    ...added.map(({ deadline }) => deadline).filter(passed),
    ...removed.map(({ suppressedBy }) => suppressedBy?.until).filter(passed),
  ]);
  const exceptions = exceptionsOf(before, after, { added, removed });
  const vex = begunEnded(before, after, (reason) => reason.vex?.document);
  return {
    ...fromTo('policy', before.inputs.policy, after.inputs.policy),
    ...fromTo('advisories', before.inputs.advisories, after.inputs.advisories),
    ...fromTo('inventory', before.inputs.inventory, after.inputs.inventory),
    ...(exceptions ? { exceptions } : {}),
    ...(vex ? { vex } : {}),
    ...(moments.size > 0 ? { moments: [...moments].sort((a, b) => a - b) } : {}),
  };
}

type Differing = Parameters<typeof causeDetailOf>[2];

function exceptionsOf(before: Verdict, after: Verdict, lines: Differing): CauseDetail['exceptions'] {
  const changed = begunEnded(before, after, ({ suppressedBy }) => suppressedBy?.exception);
  const replaced = replacedIn(lines, after.judgedAt);
  if (replaced.length === 0) return changed;
  const [named, still] = [new Set(replaced.map(({ to }) => to)), new Set(replaced.map(({ from }) => from))];
  return {
    begun: changed?.begun.filter((id) => !named.has(id)) ?? [],
    ended: changed?.ended.filter((id) => !still.has(id)) ?? [],
    replaced,
  };
}

/** Of several exceptions a line names the one that lasts longest: one that lasts longer takes the place of one that is not over. */
function replacedIn({ added, removed }: Differing, now: number): readonly FromTo<string>[] {
  const excepted = new Map(removed.map((line) => [keyOf(line), line.suppressedBy]));
  const pairs = new Map<string, FromTo<string>>();
  for (const line of added) {
    const [from, to] = [excepted.get(keyOf(line)), line.suppressedBy];
    if (!from || !to || from.exception === to.exception || from.until <= now || to.until < from.until) continue;
    pairs.set(`${from.exception} ${to.exception}`, { from: from.exception, to: to.exception });
  }
  return [...pairs.keys()].sort().flatMap((key) => pairs.get(key) ?? []);
}

function keyOf({ rule, vulnerability, package: name, installed, message }: Reason): string {
  return JSON.stringify([rule, vulnerability ?? message, name, installed]);
}

function fromTo<Name extends string, Value>(name: Name, from: Value, to: Value) {
  return (from === to ? {} : { [name]: { from, to } }) as { readonly [key in Name]?: FromTo<Value> };
}

function begunEnded(
  before: Verdict,
  after: Verdict,
  pick: (reason: Reason) => string | undefined,
): BegunEnded | undefined {
  const [known, present] = [before, after].map(
    ({ reasons }) => new Set(reasons.map(pick).filter((name) => name !== undefined)),
  );
  if (!known || !present) return undefined;
  const begun = [...present.difference(known)].sort();
  const ended = [...known.difference(present)].sort();
  return begun.length + ended.length === 0 ? undefined : { begun, ended };
}
