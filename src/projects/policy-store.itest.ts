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

  it('holds only against the floor what a change touches', async () => {
    const old = { block: { fixable: 'critical' }, warn: { fixable: 'critical' }, contact: { text: 'the web team' } };
    await policies.set(admin, back, old, why('older than the lock'));
    await policies.set(admin, 'installation', { ...strict, locked: ['block', 'contact.text'] }, why('a floor'));
    await policies.edit(
      admin,
      back,
      { set: { 'graceDays.fixable': { high: 3, critical: 3 } } },
      why('not about the floor'),
    );
    expect(await policies.effectivePolicy(back.id)).toMatchObject({
      policy: { block: { fixable: 'high' }, graceDays: { fixable: { critical: 3 } }, contact: { text: null } },
    });
    const { own } = await policies.effectivePolicy(back.id);
    await policies.set(admin, back, { ...own, endOfLife: 'block' }, why('the same and more'));
    await expect(policies.edit(admin, back, { set: { 'block.fixable': 'off' } }, why('x'))).rejects.toThrow(
      /block\.fixable: "off" is looser than "high"/,
    );
    await expect(policies.edit(admin, back, { set: { 'contact.text': 'foo' } }, why('x'))).rejects.toThrow(
      /contact\.text: is locked: the installation says null, and a project cannot say otherwise; leave it out/,
    );
    await expect(policies.set(admin, front, old, why('new here'))).rejects.toThrow(
      /block\.fixable: "critical" is looser/,
    );
    await expect(policies.edit(admin, back, { set: { 'warn.unfixable': 'critical' } }, why('x'))).rejects.toThrow(
      /warn\.unfixable: critical is above/,
    );
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

  describe.each([['a project', front] as const, ['the installation', 'installation'] as const])(
    'a change while a version waits, of %s',
    (_name, owner) => {
      const from = AT + 1000;
      const edits = {
        edit: (edit: Parameters<PolicyStore['edit']>[2]) => policies.edit(admin, owner, edit, why('unrelated')),
        effective: () => replica.effectivePolicy(front.id),
        states: async () => (await policies.history(owner)).map(({ version, state }) => `${version} ${state}`),
      };
      beforeEach(async () => {
        await policies.set(admin, owner, { kev: { graceDays: 5 } }, why('at first'));
        await policies.edit(admin, owner, { set: strict }, why('announced', from));
        now += 10;
      });

      it('counts at once and leaves the one that waits where it is', async () => {
        await edits.edit({ set: { 'contact.link': 'https://example.com/x' }, unset: ['kev.graceDays'] });
        const linked = { contact: { link: 'https://example.com/x' }, kev: defaultPolicy.kev };
        expect(await edits.effective()).toMatchObject({
          policy: { ...linked, block: defaultPolicy.block },
          coming: [{ from, policy: { ...linked, block: strict.block } }],
        });
        expect(await edits.states()).toEqual(['4 coming', '3 in force', '2 replaced', '1 past']);
        now = from - 1;
        expect((await edits.effective()).policy.block).toEqual(defaultPolicy.block);
        now = from;
        expect(await edits.effective()).toMatchObject({ policy: { ...linked, block: strict.block }, coming: [] });
      });

      it('shows in the history what is different from what counted', async () => {
        await edits.edit({ set: { 'contact.link': 'https://example.com/x' } });
        const block = ['block.fixable', 'block.unfixable', 'warn.unfixable'].map((field) => ({
          field,
          before: null,
          after: 'high',
        }));
        expect((await policies.history(owner)).map(({ changes }) => changes)).toEqual([
          block,
          [{ field: 'contact.link', before: null, after: 'https://example.com/x' }],
          block,
          [{ field: 'kev.graceDays', before: null, after: 5 }],
        ]);
        expect((await ledger.list({ limit: 9 })).map(({ details }) => [details['version'], details['before']])).toEqual(
          [
            [1, null],
            [2, 1],
            [3, 1],
            [4, 3],
          ],
        );
      });

      it('leaves what was announced of a field as announced', async () => {
        await edits.edit({ set: { 'block.fixable': 'critical', 'warn.fixable': 'medium' } });
        expect(await edits.effective()).toMatchObject({
          policy: { block: { fixable: 'critical' }, warn: { fixable: 'medium' } },
          coming: [{ from, policy: { block: { fixable: 'high' }, warn: { fixable: 'medium' } } }],
        });
      });

      it('is made of what waits where it names that moment, and of no other moment', async () => {
        await policies.edit(admin, owner, { set: { 'kev.graceDays': 3 } }, why('with it', from));
        expect(await edits.effective()).toMatchObject({
          policy: { kev: { graceDays: 5 } },
          coming: [{ from, policy: { block: strict.block, kev: { graceDays: 3 } } }],
        });
        for (const other of [from - 5, from + 5])
          await expect(
            policies.edit(admin, owner, { set: { 'kev.graceDays': 1 } }, why('x', other)),
          ).rejects.toMatchObject({ code: 'policy_waiting', message: expect.stringContaining('version 3 waits for') });
        expect(await edits.states()).toEqual(['3 coming', '2 replaced', '1 in force']);
      });

      it('is none where the field already says so', async () => {
        expect(await edits.edit({ set: { 'kev.graceDays': 5 } })).toEqual({ version: 2, changed: false });
        expect(await edits.states()).toEqual(['2 coming', '1 in force']);
      });

      it('is refused where it makes no sense with what waits', async () => {
        await expect(edits.edit({ set: { 'warn.fixable': 'critical' } })).rejects.toThrow(
          /with what waits for .* the policy is not valid: warn\.fixable: critical is above/,
        );
        expect(await edits.states()).toEqual(['2 coming', '1 in force']);
      });

      it('is not to go back to a version that never counted, unless from a moment on', async () => {
        const never = () => policies.rollBack(admin, owner, 2, why('back'));
        await expect(never()).rejects.toMatchObject({ code: 'policy_waiting' });
        await policies.set(admin, owner, loose, why('rather this'));
        await expect(never()).rejects.toThrow(/version 2 never came into force: .*--effective-from/);
        expect((await edits.effective()).policy.block).toEqual(defaultPolicy.block);
        await policies.rollBack(admin, owner, 2, why('later then', from + 500));
        expect(await edits.effective()).toMatchObject({
          policy: { block: defaultPolicy.block, warn: { fixable: 'medium' } },
          coming: [{ from: from + 500, policy: { block: strict.block } }],
        });
        now = from + 500;
        expect(await policies.rollBack(admin, owner, 1, why('that one did'))).toMatchObject({ changed: true });
        expect(await policies.rollBack(admin, owner, 4, why('and so did this'))).toMatchObject({ changed: true });
      });
    },
  );

  it('tightens with the short form what is in force, and what was announced still comes', async () => {
    await policies.set(admin, front, strict, why('soon', AT + 1000));
    await policies.setShort(admin, front, { warn: 'low' }, why('show more'));
    expect(await policies.effectivePolicy(front.id)).toMatchObject({
      policy: { block: defaultPolicy.block, warn: { fixable: 'low', unfixable: 'low' } },
      coming: [{ from: AT + 1000, policy: { block: strict.block, warn: { fixable: 'low', unfixable: 'high' } } }],
    });
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
