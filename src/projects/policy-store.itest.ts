import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { defaultPolicy } from '../policy/policy.ts';
import type { PolicySource } from '../verdicts/ports.ts';
import { createPolicyStore, type PolicyStore } from './policy-store.ts';

const admin: Principal = { kind: 'user', id: 'id-admin', name: 'admin', admin: true };
const front = { id: 'p1', name: 'front' };
const back = { id: 'p2', name: 'back' };
const strict = { block: { fixable: 'high', unfixable: 'high' }, warn: { unfixable: 'high' } };
const loose = { warn: { fixable: 'medium' } };
const why = (reason: string, effectiveFrom?: number) => ({ reason, effectiveFrom });
const AT = 7000;

describe.each(ENGINES)('policies on %s', (engine) => {
  let handle: DatabaseHandle;
  let policies: PolicyStore;
  let replica: PolicyStore;
  let ledger: Ledger;
  let now = AT;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    now = AT;
    const clock = { now: () => now };
    ledger = createLedger({ db: handle.db, clock });
    policies = createPolicyStore({ db: handle.db, clock, ledger });
    replica = createPolicyStore({ db: handle.db, clock, ledger });
  });
  afterEach(() => handle.close());

  it('counts field by field the own word, else the installation’s, else what is built in, on every replica at once', async () => {
    const effective = async () => {
      const [here, there] = [await policies.effectivePolicy(front.id), await replica.effectivePolicy(front.id)];
      expect(there).toEqual(here);
      return here;
    };
    expect(await effective()).toMatchObject({
      policy: defaultPolicy,
      version: 0,
      origin: 'built-in',
      coming: [],
      own: {},
    });
    await policies.set(admin, 'installation', loose, why('start gently'));
    expect(await effective()).toMatchObject({
      version: 1,
      origin: 'installation',
      policy: { warn: { fixable: 'medium' } },
    });
    await policies.set(admin, front, strict, why('it faces the internet'));
    const both = await effective();
    expect(both).toMatchObject({
      version: 2,
      origin: 'project',
      own: strict,
      policy: { ...strict, kev: defaultPolicy.kev },
    });
    expect(both.policy.warn).toEqual({ fixable: 'medium', unfixable: 'high' });
    expect(both.origins).toMatchObject({
      'block.fixable': 'project',
      'warn.fixable': 'installation',
      'kev.action': 'built-in',
    });
    const source: PolicySource = replica;
    expect(await source.effectivePolicy(back.id)).toMatchObject({ version: 1 });
    await replica.set(admin, 'installation', {}, why('show more'));
    expect((await effective()).policy.warn).toEqual({ fixable: 'high', unfixable: 'high' });
    await policies.set(admin, front, {}, why('no longer'));
    expect(await effective()).toMatchObject({ policy: defaultPolicy, version: 4, origin: 'built-in' });
    expect(await policies.set(admin, front, {}, why('no longer'))).toEqual({ version: 4, changed: false });
    expect(await policies.history(front)).toMatchObject([
      { version: 4, document: {}, state: 'in force' },
      {
        version: 2,
        document: strict,
        author: 'admin',
        reason: 'it faces the internet',
        createdAt: AT,
        state: 'past',
        changes: [
          { field: 'block.fixable', before: null, after: 'high' },
          { field: 'block.unfixable', before: null, after: 'high' },
          { field: 'warn.unfixable', before: null, after: 'high' },
        ],
      },
    ]);
    expect((await ledger.list({ limit: 9 })).map(({ action, target }) => `${action} ${target}`)).toEqual([
      'policy.set installation',
      'policy.set project/front',
      'policy.inherit installation',
      'policy.inherit project/front',
    ]);
  });

  it('lets a project only tighten what the installation has locked, before and after', async () => {
    const floor = { ...strict, locked: ['block'] };
    await policies.set(
      admin,
      back,
      { block: { fixable: 'critical' }, warn: { fixable: 'critical' } },
      why('older than the lock'),
    );
    await policies.set(admin, 'installation', floor, why('a floor'));
    expect(await policies.effectivePolicy(back.id)).toMatchObject({
      policy: { block: { fixable: 'high' } },
      origins: { 'block.fixable': 'installation-locked', 'warn.fixable': 'project' },
    });
    await expect(policies.edit(admin, front, { set: { 'block.fixable': 'critical' } }, why('looser'))).rejects.toThrow(
      /block\.fixable: "critical" is looser than "high", which the installation has locked/,
    );
    await policies.edit(admin, front, { set: { 'block.fixable': 'medium', 'warn.fixable': 'medium' } }, why('tighter'));
    expect(await policies.effectivePolicy(front.id)).toMatchObject({
      policy: { block: { fixable: 'medium', unfixable: 'high' } },
      origins: { 'block.fixable': 'project', 'block.unfixable': 'installation-locked' },
    });
    await expect(policies.set(admin, front, floor, why('x'))).rejects.toThrow(/only the installation can lock/);
  });

  it('lets a policy come at its moment and not before, and a newer one replace it', async () => {
    const from = AT + 1000;
    await policies.set(admin, front, strict, why('soon', from));
    expect(await policies.effectivePolicy(front.id)).toMatchObject({
      policy: defaultPolicy,
      version: 1,
      coming: [{ from, policy: { block: { fixable: 'high' } } }],
    });
    now = from - 1;
    expect((await replica.effectivePolicy(front.id)).policy.block.fixable).toBe('off');
    now = from;
    for (const store of [policies, replica])
      expect(await store.effectivePolicy(front.id)).toMatchObject({
        policy: { block: { fixable: 'high' } },
        coming: [],
        version: 1,
      });
    await policies.set(
      admin,
      front,
      { block: { fixable: 'none' }, warn: { fixable: 'off' } },
      why('stricter', from + 10),
    );
    await policies.set(admin, front, { kev: { action: 'block' } }, why('rather this'));
    now = from + 20;
    expect((await policies.effectivePolicy(front.id)).policy).toMatchObject({
      block: { fixable: 'off' },
      kev: { action: 'block' },
    });
    expect((await policies.history(front)).map(({ version, state }) => `${version} ${state}`)).toEqual([
      '3 in force',
      '2 replaced',
      '1 past',
    ]);
  });

  it('goes back to an older version with a new one', async () => {
    await policies.set(admin, front, strict, why('a'));
    await policies.set(admin, front, loose, why('b'));
    expect(await policies.rollBack(admin, front, 1, why('b was wrong'))).toEqual({ version: 3, changed: true });
    expect((await policies.effectivePolicy(front.id)).own).toEqual(strict);
    await expect(policies.rollBack(admin, front, 9, why('x'))).rejects.toMatchObject({ code: 'policy_unknown' });
    await expect(policies.rollBack(admin, back, 1, why('x'))).rejects.toMatchObject({ code: 'policy_unknown' });
  });

  it('gives no new number to what does not change', async () => {
    const first = await policies.set(admin, front, strict, why('a'));
    const again = await replica.set(admin, front, structuredClone(strict), why('b'));
    expect([first.changed, again.changed, again.version]).toEqual([true, false, first.version]);
  });

  it('never gives two documents one number, also when written at the same time', async () => {
    const owners = Array.from({ length: 12 }, (_, at) => ({ id: `p${at}`, name: `p${at}` }));
    const written = await Promise.all(
      owners.map((owner, at) => (at % 2 ? policies : replica).set(admin, owner, strict, why('x'))),
    );
    expect(written.map(({ version }) => version).toSorted((a, b) => a - b)).toEqual(owners.map((_, at) => at + 1));
  });

  it.each([
    ['an unknown field', { ...strict, surprise: 1 }, 'why'],
    ['an unknown lock', { locked: ['surprise'] }, 'why'],
    ['a warning above what blocks', { block: { fixable: 'medium' } }, 'why'],
    ['grace that never counts', { ...strict, graceDays: { fixable: { high: 1, critical: 2 } } }, 'why'],
    ['a link that is none', { contact: { link: 'javascript:alert(1)' } }, 'why'],
    ['two lines', { contact: { text: 'a\r\nb' } }, 'why'],
    ['a wrong threshold', { ...strict, block: { fixable: 'huge', unfixable: 'high' } }, 'why'],
    ['no object', 'high', 'why'],
    ['no reason', strict, '  '],
    ['a moment that is past', strict, 'why', AT],
    ['a moment that never comes', strict, 'why', Number.POSITIVE_INFINITY],
  ])('refuses %s', async (_name, document, reason, from?: number) => {
    await expect(policies.set(admin, front, document, why(reason, from))).rejects.toMatchObject({
      code: 'policy_invalid',
    });
    expect(await policies.history(front)).toEqual([]);
    expect(await ledger.head()).toBeUndefined();
  });

  it('reads a document of the first form', async () => {
    const document = JSON.stringify({
      block: strict.block,
      graceDays: { low: 0, medium: 0, high: 3, critical: 1 },
      kev: 'block',
    });
    const row = { project_id: front.id, version: 1, document, author: 'x', reason: 'y', created_at: 0 };
    await handle.db.insertInto('policies').values(row).execute();
    expect((await policies.effectivePolicy(front.id)).policy).toMatchObject({
      block: strict.block,
      graceDays: { fixable: { high: 3 }, unfixable: { critical: 1 } },
      kev: { ...defaultPolicy.kev, action: 'block' },
    });
  });
});
