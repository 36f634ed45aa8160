import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideRetention, parseRule, type RetentionRule, ruleText, type TagFacts } from './retention.ts';
import { parseSelection, selectionText, selects } from './tag-selection.ts';

const DAY = 86_400_000;
const NOW = 1_000 * DAY;

function rule(text: string): RetentionRule {
  const parsed = parseRule(text);
  if (!parsed) throw new Error(`${text} is no rule`);
  return parsed;
}
function tag(name: string, pushedDaysAgo: number, usedDaysAgo = pushedDaysAgo, heldBy?: string): TagFacts {
  return { name, pushedAt: NOW - pushedDaysAgo * DAY, usedAt: NOW - usedDaysAgo * DAY, heldBy };
}
function kept(rules: readonly string[], tags: readonly TagFacts[], repository = 'app'): string[] {
  const fates = decideRetention(rules.map(rule), repository, tags, NOW);
  return tags.filter((_, at) => fates[at]?.kind === 'keep').map(({ name }) => name);
}

const TAGS = [tag('v1', 50, 3), tag('v2', 40), tag('v3', 5), tag('v3-rc', 6), tag('latest', 90, 70)];

describe('retention', () => {
  it.each([
    ['nothing goes without rules', [], ['v1', 'v2', 'v3', 'v3-rc', 'latest']],
    ['the latest pushed', ['latest-pushed 2'], ['v3', 'v3-rc']],
    ['the latest pushed of some', ['latest-pushed 2 of v*,!*-rc'], ['v2', 'v3']],
    ['the latest pulled', ['latest-pulled 2'], ['v1', 'v3']],
    ['pushed within', ['pushed-within 40'], ['v2', 'v3', 'v3-rc']],
    ['pulled within, where a push counts too', ['pulled-within 30'], ['v1', 'v3', 'v3-rc']],
    ['always', ['always of latest,v1'], ['v1', 'latest']],
    ['one rule is enough', ['always of latest', 'pulled-within 4'], ['v1', 'latest']],
    ['a rule for another repository keeps nothing here', ['always in other'], []],
    ['everything but one repository', ['always in !other/**'], ['v1', 'v2', 'v3', 'v3-rc', 'latest']],
  ])('keeps: %s', (_what, rules, expected) => expect(kept(rules, TAGS)).toEqual(expected));

  it('says which rule keeps a tag, and why each of them did not', () => {
    const rules = ['latest-pushed 1 of v*', 'pulled-within 30', 'always of release-*'].map(rule);
    const fates = decideRetention(rules, 'app', [...TAGS, tag('v0', 99, 99, 'it runs')], NOW);
    expect(fates.map(({ because }) => because)).toEqual([
      'pulled-within 30',
      'latest-pushed 1 of v*: 2 others were pushed later; pulled-within 30: pulled or pushed 40 days ago; always of release-*: not meant',
      'latest-pushed 1 of v*',
      'pulled-within 30',
      'latest-pushed 1 of v*: not meant; pulled-within 30: pulled or pushed 70 days ago; always of release-*: not meant',
      'it runs',
    ]);
  });

  it.each([
    'latest-pushed 10',
    'latest-pulled 3 of v* in team/**',
    'pushed-within 30 of *,!*-rc',
    'pulled-within 90 of * in app,team/*,!team/old',
    'always of release-*,stable',
  ])('reads back %s', (text) => expect(ruleText(rule(text))).toBe(text));

  it.each([
    'latest-pushed',
    'latest-pushed 0',
    'pushed-within 99999',
    'always 3',
    'never',
    'always of',
    'always of a/b',
    'always of v* in ../x{a}',
    'latest-pushed 10 of v* in a in b',
    `always of ${'a'.repeat(129)}`,
    `always of ${'a,'.repeat(25)}a`,
  ])('takes %j for no rule', (text) => expect(parseRule(text)).toBeUndefined());
});

const globOfTags = fc.constantFrom('*', 'v*', '*-rc', 'latest', 'v1*', 'none');
const globOfRepositories = fc.constantFrom('**', 'app', 'team/*', '*', 'other');
const selection = fc.record({
  tags: fc.array(globOfTags, { minLength: 1, maxLength: 2 }),
  exceptTags: fc.array(globOfTags, { maxLength: 1 }),
  repositories: fc.array(globOfRepositories, { minLength: 1, maxLength: 2 }),
  exceptRepositories: fc.array(globOfRepositories, { maxLength: 1 }),
});
const number = fc.integer({ min: 1, max: 6 });
const anyRule: fc.Arbitrary<RetentionRule> = fc
  .tuple(
    selection,
    fc.oneof(
      fc.record({ keep: fc.constantFrom('latest-pushed' as const, 'latest-pulled' as const), count: number }),
      fc.record({ keep: fc.constantFrom('pushed-within' as const, 'pulled-within' as const), days: number }),
      fc.record({ keep: fc.constant('always' as const) }),
    ),
  )
  .map(([where, what]) => ({ ...where, ...what }));
const anyTags: fc.Arbitrary<TagFacts[]> = fc
  .uniqueArray(
    fc.record({
      name: fc.constantFrom('v1', 'v2', 'v10', 'v2-rc', 'latest', 'a', 'b', 'c'),
      pushed: fc.integer({ min: 0, max: 10 }),
      used: fc.integer({ min: 0, max: 10 }),
      held: fc.boolean(),
    }),
    { selector: ({ name }) => name },
  )
  .map((tags) =>
    tags.map(({ name, pushed, used, held }) => tag(name, pushed, Math.min(pushed, used), held ? 'held' : undefined)),
  );
const repository = fc.constantFrom('app', 'team/a', 'team/a/b', 'other');

function means(text: string, where: string, name: string): boolean {
  const parsed = parseSelection(text);
  return parsed !== undefined && selects(parsed, where, name);
}

function removed(rules: readonly RetentionRule[], where: string, tags: readonly TagFacts[]): Set<string> {
  const fates = decideRetention(rules, where, tags, NOW);
  return new Set(tags.filter((_, at) => fates[at]?.kind === 'remove').map(({ name }) => name));
}

describe('laws of retention', () => {
  it('one more rule never takes more away', () => {
    fc.assert(
      fc.property(
        fc.array(anyRule, { minLength: 1, maxLength: 4 }),
        anyRule,
        repository,
        anyTags,
        (rules, more, where, tags) => {
          const before = removed(rules, where, tags);
          const after = removed([...rules, more], where, tags);
          expect(after.difference(before)).toEqual(new Set());
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('what is held stays, and so does what one rule alone would keep', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { minLength: 1, maxLength: 4 }), repository, anyTags, (rules, where, tags) => {
        const gone = removed(rules, where, tags);
        for (const { name, heldBy } of tags) {
          const alone = rules.every((one) => removed([one], where, tags).has(name));
          expect(gone.has(name), name).toBe(heldBy === undefined && alone);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('the order in which tags are listed does not matter', () => {
    fc.assert(
      fc.property(fc.array(anyRule, { maxLength: 3 }), repository, anyTags, (rules, where, tags) => {
        expect(removed(rules, where, tags.toReversed())).toEqual(removed(rules, where, tags));
      }),
    );
  });

  it('rules and selections survive being written down', () => {
    fc.assert(
      fc.property(anyRule, (one) => {
        expect(parseRule(ruleText(one))).toEqual(one);
      }),
    );
    fc.assert(
      fc.property(selection, (one) => {
        expect(parseSelection(selectionText(one))).toEqual(one);
      }),
    );
  });

  it('a selection means what its globs mean', () => {
    expect(means('v* in team/*', 'team/a', 'v1')).toBe(true);
    expect(means('v* in team/*', 'team/a/b', 'v1')).toBe(false);
    expect(means('!v*', 'app', 'latest')).toBe(true);
    expect(means('!v*', 'app', 'v1')).toBe(false);
  });
});
