import { expect, it } from 'vitest';
import { digestOf } from './digest.ts';
import { isTag } from './reference.ts';
import { referrersTagOf } from './referrers-tag.ts';

it.each(['sha256', 'sha512'] as const)(
  'the referrers tag of a %s digest is a tag of its first 64 characters',
  (algorithm) => {
    const digest = digestOf('subject', algorithm);
    const tag = referrersTagOf(digest);
    expect(tag).toBe(`${algorithm}-${digest.slice(7, 71)}`);
    expect(isTag(tag)).toBe(true);
  },
);
