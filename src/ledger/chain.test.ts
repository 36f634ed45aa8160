import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GENESIS, hashEntry, type LedgerEntry, verifyChain } from './chain.ts';

function chainOf(count: number): LedgerEntry[] {
  const entries: LedgerEntry[] = [];
  for (let seq = 1; seq <= count; seq += 1) {
    const previousHash = entries.at(-1)?.hash ?? GENESIS;
    const line = { seq, at: seq, actor: 'a', action: 'b', target: 'c', details: { z: seq, a: [] }, previousHash };
    entries.push({ ...line, hash: hashEntry(line) });
  }
  return entries;
}

describe('ledger chain', () => {
  it('has a hash that anybody can compute from the documented form', () => {
    const line = { seq: 1, at: 5, actor: 'a', action: 'b', target: 'c', details: { z: 1, a: 2 }, previousHash: '' };
    // printf '%s' '{"action":"b","actor":"a","at":5,"details":{"a":2,"z":1},"previousHash":"","seq":1,"target":"c"}' | sha256sum
    expect(hashEntry(line)).toBe('sha256:d2c17cf855bdb2839e89fc19c6962947d710968d32aea5ff276e711b55d464bd');
  });

  it('holds as a whole and in parts', () => {
    const chain = chainOf(6);
    expect(verifyChain(chain)).toBeUndefined();
    expect(verifyChain(chain.slice(2))).toBeUndefined();
    expect(verifyChain(chain.slice(2), chain[1])).toBeUndefined();
    expect(verifyChain([])).toBeUndefined();
  });

  it('finds any single change, wherever it is', () => {
    const chain = chainOf(6);
    const field = fc.constantFrom('seq', 'at', 'actor', 'action', 'target', 'previousHash', 'hash', 'details' as const);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 5 }), field, (index, name) => {
        const entry = chain[index] as LedgerEntry;
        const value = { seq: 99, at: 99, details: { z: entry.seq, a: [null] } }[name as 'seq'] ?? 'other';
        expect(verifyChain(chain.with(index, { ...entry, [name]: value }), { seq: 0, hash: GENESIS })).toBe(index + 1);
      }),
    );
  });

  it('finds a line that was removed, doubled or moved', () => {
    const chain = chainOf(6);
    expect(verifyChain(chain.toSpliced(2, 1))).toBe(3);
    expect(verifyChain(chain.slice(1), { seq: 0, hash: GENESIS })).toBe(1);
    expect(verifyChain([...chain.slice(0, 3), ...chain.slice(2)])).toBe(4);
    expect(verifyChain([...chain.slice(0, 2), ...chain.slice(2, 4).reverse(), ...chain.slice(4)])).toBe(3);
  });

  it('finds a first line that does not begin at the beginning', () => {
    const [first] = chainOf(1) as [LedgerEntry];
    const line = { ...first, previousHash: 'sha256:00' };
    expect(verifyChain([{ ...line, hash: hashEntry(line) }])).toBe(1);
  });
});
