import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { defaultPolicy } from '../policy/policy.ts';
import type { PolicySource } from '../verdicts/ports.ts';
import { applyShortForm, createPolicyStore, type PolicyStore } from './policy-store.ts';

const admin: Principal = { kind: 'user', id: 'id-admin', name: 'admin', admin: true };
const front = { id: 'p1', name: 'front' };
const back = { id: 'p2', name: 'back' };
const strict = applyShortForm(defaultPolicy, { block: 'high' });
const loose = applyShortForm(defaultPolicy, { warn: 'critical' });

describe.each(ENGINES)('policies on %s', (engine) => {
  let handle: DatabaseHandle;
  let policies: PolicyStore;
  let replica: PolicyStore;
  let ledger: Ledger;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    const clock = fixedClock(7000);
    ledger = createLedger({ db: handle.db, clock });
    policies = createPolicyStore({ db: handle.db, clock, ledger });
    replica = createPolicyStore({ db: handle.db, clock, ledger });
  });
  afterEach(() => handle.close());

  it('counts the own one, else the installation’s, else the built-in one, on every replica at once', async () => {
    const effective = async () => {
      const [here, there] = [await policies.effectivePolicy(front.id), await replica.effectivePolicy(front.id)];
      expect(there).toEqual(here);
      return here;
    };
    expect(await effective()).toEqual({ policy: defaultPolicy, version: 0, origin: 'built-in' });
    await policies.set(admin, 'installation', loose, 'start gently');
    expect(await effective()).toEqual({ policy: loose, version: 1, origin: 'installation' });
    await policies.set(admin, front, strict, 'it faces the internet');
    expect(await effective()).toEqual({ policy: strict, version: 2, origin: 'project' });
    const source: PolicySource = replica;
    expect(await source.effectivePolicy(back.id)).toMatchObject({ version: 1 });
    await replica.set(admin, 'installation', defaultPolicy, 'show more');
    expect(await effective()).toMatchObject({ policy: strict, version: 2 });
    expect(await policies.inherit(admin, front, 'no longer')).toBe(true);
    expect(await effective()).toEqual({ policy: defaultPolicy, version: 3, origin: 'installation' });
    expect(await policies.inherit(admin, front, 'no longer')).toBe(false);
    expect((await policies.installationPolicy()).version).toBe(3);
    expect(await policies.history(front)).toMatchObject([
      { version: 4, policy: undefined },
      { version: 2, policy: strict, author: 'admin', reason: 'it faces the internet', createdAt: 7000 },
    ]);
    expect((await ledger.list({ limit: 9 })).map(({ action, target }) => `${action} ${target}`)).toEqual([
      'policy.set installation',
      'policy.set project/front',
      'policy.set installation',
      'policy.inherit project/front',
    ]);
  });

  it('gives no new number to what does not change', async () => {
    const first = await policies.set(admin, front, strict, 'a');
    const again = await replica.set(admin, front, structuredClone(strict), 'b');
    expect([first.changed, again.changed, again.version]).toEqual([true, false, first.version]);
  });

  it('never gives two documents one number, also when written at the same time', async () => {
    const owners = Array.from({ length: 12 }, (_, at) => ({ id: `p${at}`, name: `p${at}` }));
    const written = await Promise.all(
      owners.map((owner, at) => (at % 2 ? policies : replica).set(admin, owner, strict, 'x')),
    );
    expect(written.map(({ version }) => version.version).toSorted((a, b) => a - b)).toEqual(
      owners.map((_, at) => at + 1),
    );
  });

  it.each([
    ['an unknown field', { ...strict, surprise: 1 }, 'why'],
    ['a missing field', { block: strict.block }, 'why'],
    ['a wrong threshold', { ...strict, block: { fixable: 'huge', unfixable: 'high' } }, 'why'],
    ['no object', 'high', 'why'],
    ['no reason', strict, '  '],
  ])('refuses %s', async (_name, document, reason) => {
    await expect(policies.set(admin, front, document, reason)).rejects.toMatchObject({ code: 'policy_invalid' });
    expect(await policies.history(front)).toEqual([]);
    expect(await ledger.head()).toBeUndefined();
  });

  it('reads a document that is older than a field', async () => {
    const { gateBlobs: _newer, ...older } = strict;
    const row = {
      project_id: front.id,
      version: 1,
      document: JSON.stringify(older),
      author: 'x',
      reason: 'y',
      created_at: 0,
    };
    await handle.db.insertInto('policies').values(row).execute();
    expect((await policies.effectivePolicy(front.id)).policy).toEqual(strict);
  });
});

describe('short form', () => {
  it('means at or above, fixable or not, and leaves the rest', () => {
    expect(strict).toEqual({ ...defaultPolicy, block: { fixable: 'high', unfixable: 'high' } });
    expect(loose).toEqual({ ...defaultPolicy, warn: { fixable: 'critical', unfixable: 'critical' } });
    expect(applyShortForm(strict, { block: 'off' }).block).toEqual({ fixable: 'off', unfixable: 'off' });
  });
});
