import { z } from 'zod';
import { parseSelection, selectionText, selects, tagSelectionSchema } from './tag-selection.ts';

const count = z.number().int().min(1).max(10_000);
const days = z.number().int().min(1).max(3650);

/** One reason to keep a tag. */
export const retentionRuleSchema = z.discriminatedUnion('keep', [
  tagSelectionSchema.extend({ keep: z.literal('latest-pushed'), count }),
  tagSelectionSchema.extend({ keep: z.literal('latest-pulled'), count }),
  tagSelectionSchema.extend({ keep: z.literal('pushed-within'), days }),
  tagSelectionSchema.extend({ keep: z.literal('pulled-within'), days }),
  tagSelectionSchema.extend({ keep: z.literal('always') }),
]);
export type RetentionRule = Readonly<z.output<typeof retentionRuleSchema>>;

/** The rules of a project: a tag stays when one of them says so. None at all: every tag stays. */
export const retentionRulesSchema = z.array(retentionRuleSchema).max(15);

/** What is known of a tag when its fate is decided. Times in epoch ms. */
export interface TagFacts {
  readonly name: string;
  readonly pushedAt: number;
  /** When it was pulled last, or pushed since. */
  readonly usedAt: number;
  /** Why it stays whatever the rules say: it runs, it is immutable, something needs it. */
  readonly heldBy?: string | undefined;
}

/** What becomes of a tag, and why, in words. */
export interface Fate {
  readonly kind: 'keep' | 'remove';
  readonly because: string;
}

const DAY_MS = 86_400_000;

/**
 * Decides about the tags of one repository (its path below the project), in their order. A tag that no rule keeps goes, whether a
 * rule means it or not, so one more rule never takes more away. Without rules nothing goes.
 */
export function decideRetention(
  rules: readonly RetentionRule[],
  repository: string,
  tags: readonly TagFacts[],
  now: number,
): Fate[] {
  const views = rules.map((rule) => ({ text: ruleText(rule), look: viewOf(rule, repository, tags, now) }));
  return tags.map((tag) => {
    if (rules.length === 0) return { kind: 'keep', because: 'there are no rules' };
    if (tag.heldBy !== undefined) return { kind: 'keep', because: tag.heldBy };
    const misses: string[] = [];
    for (const { text, look } of views) {
      const miss = look(tag);
      if (miss === undefined) return { kind: 'keep', because: text };
      misses.push(`${text}: ${miss}`);
    }
    return { kind: 'remove', because: misses.join('; ') };
  });
}

/** Says of a tag why the rule does not keep it; undefined: it does. */
type View = (tag: TagFacts) => string | undefined;

function viewOf(rule: RetentionRule, repository: string, tags: readonly TagFacts[], now: number): View {
  const meant = new Set(tags.filter(({ name }) => selects(rule, repository, name)));
  const view = viewOfMeant(rule, [...meant], now);
  return (tag) => (meant.has(tag) ? view(tag) : 'not meant');
}

function viewOfMeant(rule: RetentionRule, tags: readonly TagFacts[], now: number): View {
  switch (rule.keep) {
    case 'always':
      return () => undefined;
    case 'latest-pushed':
      return among(rule.count, tags, ({ pushedAt }) => pushedAt, 'pushed');
    case 'latest-pulled':
      return among(rule.count, tags, ({ usedAt }) => usedAt, 'pulled');
    case 'pushed-within':
      return within(rule.days, now, ({ pushedAt }) => pushedAt, 'pushed');
    case 'pulled-within':
      return within(rule.days, now, ({ usedAt }) => usedAt, 'pulled or pushed');
  }
}

function among(count: number, tags: readonly TagFacts[], at: (tag: TagFacts) => number, verb: string): View {
  const sorted = [...tags].sort((a, b) => at(b) - at(a) || (a.name < b.name ? -1 : 1));
  const places = new Map(sorted.map((tag, index) => [tag, index]));
  return (tag) => {
    const newer = places.get(tag) ?? 0;
    if (newer < count) return undefined;
    return newer === 1 ? `1 other was ${verb} later` : `${newer} others were ${verb} later`;
  };
}

function within(days: number, now: number, at: (tag: TagFacts) => number, verb: string): View {
  return (tag) => {
    const age = now - at(tag);
    return age <= days * DAY_MS ? undefined : `${verb} ${Math.floor(age / DAY_MS)} days ago`;
  };
}

/** A rule in a line: `latest-pushed 10 of v*,!*-rc in team/**`. The form that `parseRule` reads. */
export function ruleText(rule: RetentionRule): string {
  const head =
    'count' in rule ? `${rule.keep} ${rule.count}` : 'days' in rule ? `${rule.keep} ${rule.days}` : rule.keep;
  const selection = selectionText(rule);
  return selection === '*' ? head : `${head} of ${selection}`;
}

const FORM =
  /^(latest-pushed|latest-pulled|pushed-within|pulled-within|always)(?:\s+(\d{1,5}))?(?:\s+(of|in)\s+(.+))?$/;

/** Reads a rule as `ruleText` writes it; undefined when it is none. `… in app` alone means all tags there. */
export function parseRule(text: string): RetentionRule | undefined {
  const [, keep, number, word, rest] = FORM.exec(text.trim()) ?? [];
  const selection = parseSelection(rest === undefined ? '*' : word === 'in' ? `* in ${rest}` : rest);
  if (keep === undefined || !selection) return undefined;
  const amount = number === undefined ? {} : { [keep.startsWith('latest') ? 'count' : 'days']: Number(number) };
  const checked = retentionRuleSchema.safeParse({ keep, ...amount, ...selection });
  return checked.success ? checked.data : undefined;
}
