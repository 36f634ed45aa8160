import { describe, expect, it } from 'vitest';
import { createFilter, nameHere } from './names.ts';

describe('names at the target', () => {
  it.each([
    ['front/app', {}, 'front/app'],
    ['a/b/c', {}, 'a/b/c'],
    ['busybox', { defaultProject: 'library' }, 'library/busybox'],
    ['front/app', { defaultProject: 'library' }, 'front/app'],
    ['busybox', { project: 'old' }, 'old/busybox'],
    ['front/app', { project: 'old' }, 'old/front/app'],
  ])('%s with %j is %s', (name, naming, expected) => expect(nameHere(name, naming)).toBe(expected));

  it('says what to do when there is no place', () => {
    expect(() => nameHere('busybox', {})).toThrow('--default-project');
    expect(() => nameHere('app', { project: 'x'.repeat(255) })).toThrow('cannot be the name');
  });
});

describe('filters', () => {
  it.each([
    [[], 'front/app', 'v1', true, true],
    [['front/*'], 'front/app', 'v1', true, true],
    [['front/*'], 'front/a/b', 'v1', false, false],
    [['front/**'], 'front/a/b', 'v1', true, true],
    [['front/*:v*'], 'front/app', 'v1', true, false],
    [['front/*:v*'], 'front/app', 'w1', false, false],
    [['front/*:v*', 'front/app'], 'front/app', 'w1', true, true],
    [['back/*', 'front/*:v1'], 'front/app', 'v1', true, false],
  ] as const)('%j on %s:%s', (patterns, name, tag, wanted, untagged) => {
    const filter = createFilter(patterns);
    expect(filter.repository(name) && filter.tag(name, tag)).toBe(wanted);
    expect(filter.untagged(name)).toBe(untagged);
  });
});
