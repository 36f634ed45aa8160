import { describe, expect, it } from 'vitest';
import type { PublishedStatement } from '../feeds/advisory.ts';
import { mergeCopies } from './merge-copies.ts';

const BASE: PublishedStatement = {
  advisory: 'DEBIAN-CVE-2024-1111',
  vulnerabilities: [['CVE-2024-1111', 'DEBIAN-CVE-2024-1111']],
  feed: 'osv:Debian',
  ranges: [{ fixed: '1-2' }],
  versions: [],
  severities: [],
};
const tracker: PublishedStatement = { ...BASE, feed: 'debian-tracker' };

function merge(...statements: readonly PublishedStatement[]): readonly PublishedStatement[] {
  return mergeCopies(statements);
}

describe('copies of statements', () => {
  it('of the Debian tracker give way to it, with its status, and leave their date', () => {
    const said: PublishedStatement = { ...tracker, ranges: [{}], status: 'will_not_fix' };
    const published = '2024-01-01T00:00:00Z';
    expect(merge({ ...BASE, published }, said)).toEqual([{ ...said, published }]);
  });

  it('do not include the advisories of the security team, nor other vulnerabilities', () => {
    const dsa: PublishedStatement = { ...BASE, advisory: 'DSA-1-1' };
    const other: PublishedStatement = {
      ...BASE,
      advisory: 'DEBIAN-CVE-2024-2222',
      vulnerabilities: [['CVE-2024-2222']],
    };
    expect(merge(dsa, other, tracker)).toEqual([dsa, other, tracker]);
  });

  it('stay without an original', () => expect(merge(BASE)).toEqual([BASE]));
});
