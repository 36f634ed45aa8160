import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { type Principal, SYSTEM } from '../auth/principal.ts';
import { createUserStore } from '../auth/user-store.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { verifyChain } from '../ledger/chain.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import type { Severity } from '../model/severity.ts';
import { EVENT_DATA, type EventData } from '../notify/event-data.ts';
import { fixedClock } from '../platform/clock.ts';
import { isInForce } from '../policy/exception-match.ts';
import type { ExceptionSource } from '../verdicts/ports.ts';
import type { NewException } from './exception.ts';
import { EVERYWHERE, type Place } from './exception-rows.ts';
import { createExceptionStore, type ExceptionStore, type ExceptionStoreDeps } from './exception-store.ts';
import { exceptionDeps, knownToBe } from './testing.ts';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;
const person = (name: string): Principal => ({ kind: 'user', id: `id-${name}`, name, admin: false });
const [eva, tom] = [person('eva'), person('tom')];
const front = { id: 'p1', name: 'front' };
const wanted: NewException = { vulnerability: 'CVE-2024-1234', reason: 'not reachable', until: NOW + 30 * DAY };

describe.each(ENGINES)('exceptions on %s', (engine) => {
  let handle: DatabaseHandle;
  let clock: ReturnType<typeof fixedClock>;
  let ledger: Ledger;
  let exceptions: ExceptionStore;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(NOW);
    ledger = createLedger({ db: handle.db, clock });
    exceptions = open();
  });
  afterEach(() => handle.close());

  const open = (over: Partial<ExceptionStoreDeps> = {}) =>
    createExceptionStore({ db: handle.db, clock, ledger, fourEyes: true, ...exceptionDeps(handle), ...over });
  const users = () => createUserStore({ db: handle.db, clock, ledger });
  async function account(name: string): Promise<Principal> {
    const { id } = await users().create(SYSTEM, { name, password: 'a long enough password' });
    return { kind: 'user', id, name, admin: false };
  }

  it('counts from the grant until its end, to the millisecond, and every step is in the ledger', async () => {
    const narrowed: NewException = {
      ...wanted,
      package: 'openssl',
      packageType: 'apk',
      version: '1.1.1-r0',
      repository: 'team/**',
      digest: `sha256:${'a'.repeat(64)}`,
      ticket: 'SEC-1',
    };
    const asked = await exceptions.request(eva, front, narrowed);
    expect(asked).toMatchObject({
      ...narrowed,
      kind: 'accepted-risk',
      state: 'requested',
      requestedBy: 'eva',
      requesters: ['eva'],
      requestedAt: NOW,
      expired: false,
    });
    expect(await exceptions.granted(front.id)).toEqual([]);
    clock.advance(1000);
    const granted = await exceptions.grant(tom, front, asked.id, { reason: 'agreed', until: NOW + DAY });
    expect(granted).toMatchObject({
      state: 'granted',
      decidedBy: 'tom',
      decisionReason: 'agreed',
      singleHanded: false,
      validFrom: NOW + 1000,
      until: NOW + DAY,
    });
    expect(await exceptions.get(front, asked.id)).toEqual(granted);
    const source: ExceptionSource = exceptions;
    const [one] = await source.granted(front.id);
    expect(one).toEqual({
      id: asked.id,
      vulnerability: 'CVE-2024-1234',
      package: { name: 'openssl', type: 'apk' },
      version: '1.1.1-r0',
      repository: 'team/**',
      digest: narrowed.digest,
      from: NOW + 1000,
      until: NOW + DAY,
    });
    expect([
      isInForce(one!, NOW + 999),
      isInForce(one!, NOW + 1000),
      isInForce(one!, NOW + DAY - 1),
      isInForce(one!, NOW + DAY),
    ]).toEqual([false, true, true, false]);
    expect(await exceptions.granted('another')).toEqual([]);
    clock.set(NOW + DAY - 1);
    expect(await exceptions.granted(front.id)).toHaveLength(1);
    clock.set(NOW + DAY);
    expect(await exceptions.granted(front.id)).toEqual([]);
    expect(await exceptions.list({ projectId: front.id })).toMatchObject([{ state: 'granted', expired: true }]);
    const lines = await ledger.list({ target: 'project/front', limit: 9 });
    expect(lines.map(({ actor, action }) => `${actor} ${action}`)).toEqual([
      'eva exception.request',
      'tom exception.grant',
    ]);
    expect(verifyChain(lines)).toBeUndefined();
  });

  it('is not granted by whoever asked, unless that is allowed, and then marked', async () => {
    const asked = await exceptions.request(eva, front, wanted);
    await expect(exceptions.grant(eva, front, asked.id, { reason: 'me' })).rejects.toMatchObject({ code: 'four_eyes' });
    expect((await exceptions.get(front, asked.id)).state).toBe('requested');
    const alone = open({ fourEyes: false });
    expect(await alone.grant(eva, front, asked.id, { reason: 'me' })).toMatchObject({
      state: 'granted',
      singleHanded: true,
    });
    expect((await ledger.list({ limit: 9 })).at(-1)?.details).toMatchObject({ singleHanded: true });
    const second = await alone.request(eva, front, wanted);
    expect(await alone.grant(tom, front, second.id, { reason: 'x' })).toMatchObject({ singleHanded: false });
  });

  describe('what was read', () => {
    const wider = { vulnerability: 'CVE-2024-2', repository: '**', until: NOW + 60 * DAY };

    it('is all that is decided: an edit in between needs its own revision named', async () => {
      const asked = await exceptions.request(eva, front, { ...wanted, repository: 'app' });
      expect(asked.revision).toBe(1);
      expect(await exceptions.edit(eva, front, asked.id, wider)).toMatchObject({ ...wider, revision: 2 });
      for (const revision of [{}, { revision: 1 }, { revision: 3 }]) {
        const edited = {
          code: 'exception_edited',
          message: expect.stringMatching(/revision 2 now: .*CVE-2024-2.*\*\*/),
        };
        const decision = { reason: 'ok', ...revision };
        await expect(exceptions.grant(tom, front, asked.id, decision)).rejects.toMatchObject(edited);
        await expect(exceptions.deny(tom, front, asked.id, decision)).rejects.toMatchObject(edited);
      }
      const all = { to: 'granted' as const, reason: 'ok' };
      await expect(exceptions.decideMany(tom, front, [asked.id], all)).rejects.toMatchObject({
        code: 'exception_edited',
      });
      expect(await exceptions.granted(front.id)).toEqual([]);
      const revisions = new Map([[asked.id, 2]]);
      expect(await exceptions.decideMany(tom, front, [asked.id], { ...all, revisions })).toMatchObject([
        { ...wider, state: 'granted', revision: 2 },
      ]);
    });

    it('is never granted wider by an edit at the same moment', async () => {
      for (let round = 0; round < 15; round += 1) {
        const { id } = await exceptions.request(eva, front, { ...wanted, repository: 'app' });
        await Promise.allSettled([
          exceptions.edit(eva, front, id, wider),
          exceptions.grant(tom, front, id, { reason: 'ok', revision: 1 }),
        ]);
        const { state, repository, revision } = await exceptions.get(front, id);
        expect([
          ['granted', 'app', 1],
          ['requested', '**', 2],
        ]).toContainEqual([state, repository, revision]);
      }
    });
  });

  it('may be granted for less, never for more, never for the past', async () => {
    const { id } = await exceptions.request(eva, front, wanted);
    for (const until of [wanted.until + 1, NOW, NaN])
      await expect(exceptions.grant(tom, front, id, { reason: 'x', until })).rejects.toMatchObject({
        code: 'exception_invalid',
      });
    clock.set(wanted.until);
    await expect(exceptions.grant(tom, front, id, { reason: 'x' })).rejects.toMatchObject({
      code: 'exception_invalid',
    });
  });

  it('is decided once, also by two at the same time', async () => {
    const { id } = await exceptions.request(eva, front, wanted);
    const decisions = await Promise.allSettled([
      exceptions.grant(tom, front, id, { reason: 'yes' }),
      exceptions.deny(person('ada'), front, id, { reason: 'no' }),
      exceptions.grant(person('kim'), front, id, { reason: 'yes' }),
    ]);
    expect(decisions.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await ledger.list({ limit: 9 })).toHaveLength(2);
    await expect(exceptions.deny(tom, front, id, { reason: 'no' })).rejects.toMatchObject({ code: 'exception_state' });
  });

  it('can be denied, taken back and revoked, with a reason', async () => {
    const denied = await exceptions.request(eva, front, wanted);
    expect(await exceptions.deny(tom, front, denied.id, { reason: 'fix it' })).toMatchObject({
      state: 'denied',
      decisionReason: 'fix it',
    });
    const back = await exceptions.request(eva, front, wanted);
    expect(await exceptions.revoke(eva, front, back.id, 'fixed')).toMatchObject({ state: 'revoked' });
    const granted = await exceptions.request(eva, front, wanted);
    await exceptions.grant(tom, front, granted.id, { reason: 'ok' });
    await expect(exceptions.revoke(tom, front, granted.id, ' ')).rejects.toMatchObject({ code: 'exception_invalid' });
    await exceptions.revoke(tom, front, granted.id, 'exploited');
    expect(await exceptions.granted(front.id)).toEqual([]);
    expect((await exceptions.list({ state: 'revoked' })).map(({ id }) => id).toSorted()).toEqual(
      [back.id, granted.id].toSorted(),
    );
  });

  it('belongs to its project', async () => {
    const { id } = await exceptions.request(eva, front, wanted);
    const attempt = exceptions.grant(tom, { id: 'p2', name: 'back' }, id, { reason: 'x' });
    await expect(attempt).rejects.toMatchObject({ code: 'exception_unknown' });
    await expect(exceptions.get(front, 'nothing')).rejects.toMatchObject({ code: 'exception_unknown' });
  });

  describe('four eyes, by person', () => {
    it('counts the accounts of one person as one, linked before or after the request', async () => {
      const [ann, anna, ben] = [await account('ann'), await account('anna'), await account('ben')];
      const before = await exceptions.request(ann, front, wanted);
      await users().link(SYSTEM, 'anna', 'ann');
      const after = await exceptions.request(anna, front, { ...wanted, vulnerability: 'CVE-2024-2' });
      for (const [by, { id }] of [
        [anna, before],
        [ann, after],
      ] as const)
        await expect(exceptions.grant(by, front, id, { reason: 'me' })).rejects.toMatchObject({ code: 'four_eyes' });
      // What was one person's stays so: taking accounts apart afterwards opens nothing.
      await users().unlink(SYSTEM, 'anna');
      await expect(exceptions.grant(ann, front, after.id, { reason: 'me' })).rejects.toMatchObject({
        code: 'four_eyes',
      });
      expect(await exceptions.grant(ben, front, after.id, { reason: 'fine' })).toMatchObject({ singleHanded: false });
    });

    it('counts who changed a request as one who asked', async () => {
      const { id } = await exceptions.request(eva, front, wanted);
      const edited = await exceptions.edit(tom, front, id, { reason: 'said better', until: NOW + 40 * DAY });
      expect(edited).toMatchObject({ requestedBy: 'eva', requesters: ['eva', 'tom'], reason: 'said better' });
      for (const by of [eva, tom])
        await expect(exceptions.grant(by, front, id, { reason: 'ok', revision: 2 })).rejects.toMatchObject({
          code: 'four_eyes',
        });
      await exceptions.grant(person('kim'), front, id, { reason: 'ok', revision: 2 });
      await expect(exceptions.edit(eva, front, id, { reason: 'late' })).rejects.toMatchObject({
        code: 'exception_state',
      });
      expect((await ledger.list({ limit: 9 })).map(({ action }) => action)).toEqual([
        'exception.request',
        'exception.edit',
        'exception.grant',
      ]);
    });

    it('counts accounts that were linked only between the change of a request and its grant', async () => {
      const [bob, admin] = [await account('bob'), await account('bob.admin')];
      const { id } = await exceptions.request(eva, front, wanted);
      await exceptions.edit(bob, front, id, { ticket: 'OPS-18' });
      clock.advance(1000);
      await users().link(SYSTEM, 'bob.admin', 'bob');
      await users().unlink(SYSTEM, 'bob.admin');
      clock.advance(1000);
      const grant = { reason: 'fine', revision: 2 };
      await expect(exceptions.grant(admin, front, id, grant)).rejects.toThrow(
        'bob.admin, who is also bob, asked for this exception or changed the request',
      );
      // What was over before it was asked for does not count.
      const later = await exceptions.request(bob, front, { ...wanted, vulnerability: 'CVE-2024-9' });
      expect(await exceptions.grant(admin, front, later.id, { reason: 'fine' })).toMatchObject({ state: 'granted' });
    });

    it('counts a robot as its owner, and marks what one person did alone where that is allowed', async () => {
      const robot: Principal = {
        kind: 'robot',
        id: 'r',
        name: 'robot$front+ci',
        owner: { id: 'id-eva', name: 'eva', admin: false },
        grants: new Map(),
      };
      const { id } = await exceptions.request(robot, front, wanted);
      await expect(exceptions.grant(eva, front, id, { reason: 'ok' })).rejects.toThrow('through robot$front+ci');
      expect(await open({ fourEyes: false }).grant(eva, front, id, { reason: 'ok' })).toMatchObject({
        singleHanded: true,
      });
    });
  });

  it('may be granted for less in every way, and for nothing else', async () => {
    const asked = {
      ...wanted,
      package: 'openssl',
      packageType: 'deb' as const,
      versions: '< 3',
      repository: 'team/**',
    };
    const { id } = await exceptions.request(eva, front, asked);
    for (const narrower of [{ repository: '**' }, { versions: '< 4' }, { package: 'zlib' }])
      await expect(exceptions.grant(tom, front, id, { reason: 'x', narrower })).rejects.toMatchObject({
        code: 'exception_invalid',
      });
    const narrower = { repository: 'team/app', versions: '>= 1, < 2', platform: 'linux/arm64' };
    const granted = await exceptions.grant(tom, front, id, { reason: 'x', narrower, until: NOW + DAY });
    expect(granted).toMatchObject({ ...narrower, package: 'openssl', until: NOW + DAY });
    expect(await exceptions.granted(front.id)).toMatchObject([
      { ...narrower, package: { name: 'openssl', type: 'deb' }, until: NOW + DAY },
    ]);
  });

  it('until fixed may be granted for fewer days after a fix, never for more', async () => {
    const { id } = await exceptions.request(eva, front, { ...wanted, kind: 'until-fixed', fixDays: 14 });
    await expect(exceptions.grant(tom, front, id, { reason: 'x', fixDays: 15 })).rejects.toMatchObject({
      code: 'exception_invalid',
    });
    await exceptions.grant(tom, front, id, { reason: 'x', fixDays: 7 });
    expect(await exceptions.granted(front.id)).toMatchObject([{ fixDays: 7 }]);
  });

  it('is renewed by a new request, while the old one holds to its end, within the limit of a life', async () => {
    const limits = {
      ...exceptionDeps(handle).limits,
      limitsOf: async () => ({
        mostDays: { low: 60, medium: 60, high: 60, critical: 60 },
        mostLifeDays: 90,
        unknownSeverity: 'low' as const,
      }),
    };
    const store = open({ limits });
    const first = await store.request(eva, front, wanted);
    await expect(store.renew(eva, front, first.id, { reason: 'on', until: NOW + 50 * DAY })).rejects.toMatchObject({
      code: 'exception_state',
    });
    await store.grant(tom, front, first.id, { reason: 'ok' });
    clock.set(NOW + 20 * DAY);
    const second = await store.renew(eva, front, first.id, { reason: 'on', until: NOW + 79 * DAY });
    expect(second).toMatchObject({
      renews: first.id,
      lifeFrom: NOW,
      state: 'requested',
      vulnerability: 'CVE-2024-1234',
    });
    expect((await store.granted(front.id)).map(({ id }) => id)).toEqual([first.id]);
    await store.grant(tom, front, second.id, { reason: 'ok' });
    expect((await store.granted(front.id)).map(({ until }) => until).toSorted((a, b) => a - b)).toEqual([
      wanted.until,
      NOW + 79 * DAY,
    ]);
    clock.set(wanted.until);
    expect((await store.granted(front.id)).map(({ id }) => id)).toEqual([second.id]);
    // Asking anew for what still counts, or did until lately, continues it, whatever it is called.
    clock.set(NOW + 70 * DAY);
    await expect(store.request(eva, front, { ...wanted, until: NOW + 95 * DAY })).rejects.toThrow(/began to count/);
    clock.set(NOW + 79 * DAY + 30 * DAY);
    expect(await store.request(eva, front, { ...wanted, until: NOW + 125 * DAY })).not.toHaveProperty('lifeFrom');
  });

  describe('the limit of a life', () => {
    const mostDays = { low: 60, medium: 60, high: 60, critical: 60 };
    const limits = () => ({
      ...exceptionDeps(handle).limits,
      limitsOf: async () => ({ mostDays, mostLifeDays: 90, unknownSeverity: 'low' as const }),
    });
    const far = NOW + 95 * DAY;
    const granted = async (store: ExceptionStore, place: Place, over: Partial<NewException>) => {
      const { id } = await store.request(eva, place, { ...wanted, until: NOW + 60 * DAY, ...over });
      return store.grant(tom, place, id, { reason: 'ok' });
    };
    beforeEach(async () => {
      for (const [at, name] of ['libssl3', 'libcrypto3', 'openssl', 'zlib1g'].entries()) {
        const source_name = name === 'zlib1g' ? 'zlib' : name === 'openssl' ? null : 'openssl';
        const { id } = await handle.db
          .insertInto('packages')
          .values({
            identity: name,
            purl: `pkg:deb/debian/${name}@1`,
            type: 'deb',
            name,
            version: '1',
            source_name,
            lookup_name: name,
            arch: null,
            source_version: null,
            licence: null,
            module: null,
          })
          .returning('id')
          .executeTakeFirstOrThrow();
        await hold(front.id, front.name, `r${at}`, id);
      }
      await sql`insert into findings (id, identity, vulnerability, aliases, package, installed, fixed, severity, fixable, vendor_status, kev, epss)
        values (1, 'x', 'CVE-2024-1234', '["GHSA-1"]', 'libssl3', '1', '', 1, 0, '', 0, 0)`.execute(handle.db);
      await sql`insert into finding_names (name, finding_id) values ('cve-2024-1234', 1), ('ghsa-1', 1)`.execute(
        handle.db,
      );
    });

    it.each<[string, Partial<NewException>, Partial<NewException>]>([
      ['another package of the same source', { package: 'libssl3' }, { package: 'libcrypto3' }],
      ['the source of the package', { package: 'libssl3' }, { package: 'openssl' }],
      ['a package of the source', { package: 'openssl' }, { package: 'libssl3' }],
      ['all packages', { package: 'libssl3' }, {}],
      ['one package of all', {}, { package: 'libssl3' }],
      ['one image of all', {}, { digest: `sha256:${'a'.repeat(64)}` }],
      ['another id of the vulnerability', {}, { vulnerability: 'ghsa-1' }],
      ['other repositories', { repository: 'a' }, { repository: 'b' }],
    ])('counts what is asked for anew as %s', async (_what, first, second) => {
      const store = open({ limits: limits() });
      await granted(store, front, first);
      clock.set(NOW + 50 * DAY);
      await expect(store.request(eva, front, { ...wanted, ...second, until: far })).rejects.toThrow(/began to count/);
    });

    it.each<[string, Partial<NewException>, Partial<NewException>]>([
      ['a package of another source', { package: 'libssl3' }, { package: 'zlib1g' }],
      ['another vulnerability', {}, { vulnerability: 'CVE-2024-2' }],
      ['another image', { digest: `sha256:${'a'.repeat(64)}` }, { digest: `sha256:${'b'.repeat(64)}` }],
    ])('does not count %s', async (_what, first, second) => {
      const store = open({ limits: limits() });
      await granted(store, front, first);
      clock.set(NOW + 50 * DAY);
      const asked = await store.request(eva, front, { ...wanted, ...second, until: far });
      expect(asked).not.toHaveProperty('lifeFrom');
    });

    it.each([
      ['that has ended', false],
      ['that was revoked', true],
    ])('counts what is asked for anew less than 30 days after what it continues %s', async (_what, revoked) => {
      const store = open({ limits: limits() });
      const { id } = await granted(store, front, { until: NOW + 30 * DAY });
      clock.set(NOW + 30 * DAY - 1);
      if (revoked) await store.revoke(tom, front, id, 'not needed');
      const end = revoked ? NOW + 30 * DAY - 1 : NOW + 30 * DAY;
      clock.set(end + 30 * DAY - 1);
      const again = { ...wanted, until: NOW + 91 * DAY };
      await expect(store.request(eva, front, again)).rejects.toThrow(/began to count/);
      clock.set(end + 30 * DAY);
      expect(await store.request(eva, front, again)).not.toHaveProperty('lifeFrom');
    });

    it('does not count a request that was taken back', async () => {
      const store = open({ limits: limits() });
      const { id } = await store.request(eva, front, wanted);
      await store.revoke(eva, front, id, 'not needed');
      clock.set(NOW + DAY);
      expect(await store.request(eva, front, wanted)).not.toHaveProperty('lifeFrom');
    });

    it('counts what is asked for anew from a rule about the same image', async () => {
      const store = open({ limits: limits() });
      const { vulnerability: _, ...rest } = wanted;
      const about = { ...rest, rule: 'unscannable' as const, digest: `sha256:${'a'.repeat(64)}` };
      const { id } = await store.request(eva, front, about);
      await store.grant(tom, front, id, { reason: 'ok' });
      clock.set(NOW + DAY);
      expect(await store.request(eva, front, about)).toMatchObject({ lifeFrom: NOW });
    });

    it('does not count a package of the same name and another type', async () => {
      const store = open({ limits: limits() });
      await granted(store, front, { package: 'libssl3', packageType: 'apk' });
      clock.set(NOW + 50 * DAY);
      const other = { ...wanted, package: 'libssl3', packageType: 'deb' as const, until: far };
      expect(await store.request(eva, front, other)).not.toHaveProperty('lifeFrom');
      const same = { ...other, packageType: 'apk' as const };
      await expect(store.request(eva, front, same)).rejects.toThrow(/began to count/);
    });

    it('counts what an advisory calls it, with the severity of what it names', async () => {
      const known = { names: new Set(['alpine-cve-2024-1234', 'cve-2024-1234']), severity: 'critical' as const };
      const knownAs = async (ids: readonly string[]) =>
        new Map(ids.filter((id) => known.names.has(id)).map((id) => [id, known]));
      const store = open({
        limits: {
          knownAs,
          limitsOf: async () => ({
            mostDays: { ...mostDays, critical: 10, low: 300 },
            mostLifeDays: 12,
            unknownSeverity: 'low' as const,
          }),
        },
      });
      const asked = { ...wanted, vulnerability: 'ALPINE-CVE-2024-1234', package: 'libcrypto3' };
      await expect(store.request(eva, front, { ...asked, until: NOW + 200 * DAY })).rejects.toThrow('within 10 days');
      expect(await store.furthestEnd(front.id, asked.vulnerability)).toBe(NOW + 10 * DAY);
      await granted(store, front, { package: 'libssl3', until: NOW + 10 * DAY });
      clock.set(NOW + 5 * DAY);
      await expect(store.request(eva, front, { ...asked, until: NOW + 13 * DAY })).rejects.toThrow(/began to count/);
      await store.request(eva, front, { ...asked, until: NOW + 12 * DAY });
    });

    it('knows the severity of stored findings, whatever the advisories say now', async () => {
      await sql`update findings set severity = 6`.execute(handle.db);
      const limitsOf = async () => ({
        mostDays: { ...mostDays, critical: 7 },
        mostLifeDays: 90,
        unknownSeverity: 'low' as const,
      });
      const store = open({ limits: { limitsOf, knownAs: async () => new Map() } });
      const asked = { ...wanted, vulnerability: 'GHSA-1', until: NOW + 8 * DAY };
      await expect(store.request(eva, front, asked)).rejects.toThrow('within 7 days');
    });

    it('counts what holds for all projects with what holds for one, either way round', async () => {
      const store = open({ limits: limits() });
      await granted(store, EVERYWHERE, {});
      clock.set(NOW + 50 * DAY);
      await expect(store.request(eva, front, { ...wanted, until: far })).rejects.toThrow(/began to count/);
      await granted(store, front, { vulnerability: 'CVE-2024-9', until: NOW + 100 * DAY });
      clock.set(NOW + 90 * DAY);
      const late = { ...wanted, vulnerability: 'CVE-2024-9', until: NOW + 145 * DAY };
      await expect(store.request(eva, EVERYWHERE, late)).rejects.toThrow(/began to count/);
      // Nobody learns from a limit what is granted where they may not look.
      const blind = open({ limits: limits(), readableFor: async () => new Set<string>() });
      expect(await blind.request(eva, EVERYWHERE, late)).not.toHaveProperty('lifeFrom');
    });

    it('counts at the grant what was granted since it was asked for', async () => {
      const store = open({ limits: limits() });
      const [one, other] = [
        await store.request(eva, front, { ...wanted, package: 'libssl3', until: NOW + 60 * DAY }),
        await store.request(eva, front, { ...wanted, package: 'libcrypto3', until: NOW + 60 * DAY }),
      ];
      await store.grant(tom, front, one.id, { reason: 'ok' });
      clock.set(NOW + DAY);
      expect(await store.grant(tom, front, other.id, { reason: 'ok' })).toMatchObject({ lifeFrom: NOW });
    });
  });

  it('lasts as long as the policy lets one of its severity', async () => {
    const limitsOf = async () => ({
      mostDays: { low: 90, medium: 60, high: 30, critical: 7 },
      mostLifeDays: 365,
      unknownSeverity: 'medium' as const,
    });
    const of = (severity: Severity) => open({ limits: { limitsOf, knownAs: knownToBe(severity) } });
    for (const [severity, days] of [
      ['critical', 7],
      ['high', 30],
      ['unknown', 60],
      ['negligible', 90],
    ] as const) {
      const until = NOW + days * DAY;
      await of(severity).request(eva, front, { ...wanted, until });
      await expect(of(severity).request(eva, front, { ...wanted, until: until + 1 })).rejects.toThrow(
        `within ${days} days`,
      );
    }
    const { vulnerability: _, ...rest } = wanted;
    const rule = { ...rest, rule: 'unscannable' as const, digest: `sha256:${'a'.repeat(64)}` };
    await expect(of('low').request(eva, front, { ...rule, until: NOW + 8 * DAY })).rejects.toThrow('within 7 days');
  });

  it('can be asked for and decided together, all or none', async () => {
    const several = ['CVE-2024-1', 'CVE-2024-2', 'CVE-2024-3'].map((vulnerability) => ({ ...wanted, vulnerability }));
    await expect(exceptions.requestMany(eva, front, [...several, { ...wanted, until: NOW }])).rejects.toThrow(
      /number 4 of 4: .*none was asked for/,
    );
    expect(await exceptions.list()).toEqual([]);
    const made = await exceptions.requestMany(eva, front, several);
    const [one, two, three] = made.map(({ id }) => id) as [string, string, string];
    expect(new Set(made.map(({ batch }) => batch)).size).toBe(1);
    await exceptions.deny(tom, front, three, { reason: 'no' });
    const all = { to: 'granted' as const, reason: 'ok' };
    await expect(exceptions.decideMany(tom, front, [one, two, three], all)).rejects.toMatchObject({
      code: 'exception_state',
    });
    expect(await exceptions.granted(front.id)).toEqual([]);
    await exceptions.decideMany(tom, front, [one, two], all);
    expect(await exceptions.granted(front.id)).toHaveLength(2);
    expect(await exceptions.list({ batch: made[0]?.batch ?? '', state: 'denied' })).toMatchObject([{ id: three }]);
  });

  it('is told of in one message however many are asked for together', async () => {
    const told = () => handle.db.selectFrom('outbox').select(['subject', 'project', 'data']).orderBy('id').execute();
    const many = Array.from({ length: 1000 }, (_, at) => ({ ...wanted, vulnerability: `CVE-2024-${1000 + at}` }));
    const [first] = await exceptions.requestMany(eva, front, many);
    const [message, ...others] = await told();
    expect(others).toEqual([]);
    expect(message).toMatchObject({ subject: `exceptions/${first?.batch}`, project: 'front' });
    const data = JSON.parse(message!.data) as EventData['EXCEPTION_REQUESTED'];
    expect(EVENT_DATA.EXCEPTION_REQUESTED.parse(data)).toEqual(data);
    expect(data).toMatchObject({
      id: first?.id,
      batch: first?.batch,
      total: 1000,
      more: `/api/v1/projects/front/exceptions?batch=${first?.batch}`,
    });
    expect(data.requests?.map(({ vulnerability }) => vulnerability)).toEqual(
      many.slice(0, 10).map(({ vulnerability }) => vulnerability),
    );

    await exceptions.requestMany(eva, front, [wanted]);
    await exceptions.request(eva, EVERYWHERE, wanted);
    await expect(exceptions.requestMany(eva, front, [wanted, { ...wanted, until: NOW }])).rejects.toThrow('number 2');
    const alone = (await told()).slice(1).map((row) => JSON.parse(row.data) as EventData['EXCEPTION_REQUESTED']);
    expect(alone.map(({ total }) => total)).toEqual([undefined, undefined]);
  });

  it('is told of in one message however many are decided together', async () => {
    const told = async (): Promise<EventData['EXCEPTION_DECIDED'][]> => {
      const rows = await handle.db
        .selectFrom('outbox')
        .select('data')
        .where('type', '=', 'EXCEPTION_DECIDED')
        .orderBy('id')
        .execute();
      return rows.map(({ data }) => EVENT_DATA.EXCEPTION_DECIDED.parse(JSON.parse(data)));
    };
    const many = Array.from({ length: 12 }, (_, at) => ({ ...wanted, vulnerability: `CVE-2024-${1000 + at}` }));
    const made = await exceptions.requestMany(eva, front, many);
    await exceptions.decideMany(
      tom,
      front,
      made.map(({ id }) => id),
      { to: 'granted', reason: 'agreed' },
    );
    const [message, ...others] = await told();
    expect(others).toEqual([]);
    expect(message).toMatchObject({
      id: made[0]?.id,
      decision: 'granted',
      total: 12,
      more: `/api/v1/projects/front/exceptions?batch=${made[0]?.batch}`,
    });
    expect(message?.exceptions?.map(({ id }) => id)).toEqual(made.slice(0, 10).map(({ id }) => id));
    await exceptions.revoke(tom, front, made[3]!.id, 'fixed');
    expect((await told())[1]).toMatchObject({ id: made[3]?.id, decision: 'revoked' });
    expect((await told())[1]?.total).toBeUndefined();
  });

  it('says the latest end that it takes, by what is continued too', async () => {
    const { until: _until, reason: _reason, ...subject } = wanted;
    for (const day of [0, 170, 340, 510, 600]) {
      clock.set(NOW + day * DAY);
      const latest = await exceptions.latestEnd(front, subject);
      await expect(exceptions.request(eva, front, { ...wanted, until: latest + 1 })).rejects.toThrow(
        /must lie within|would last longer/,
      );
      const { id } = await exceptions.request(eva, front, { ...wanted, until: latest });
      await exceptions.grant(tom, front, id, { reason: 'agreed' });
    }
  });

  it('counts in every project when it is about all', async () => {
    const { id } = await exceptions.request(eva, EVERYWHERE, { ...wanted, repository: 'front/**' });
    await exceptions.grant(tom, EVERYWHERE, id, { reason: 'ok' });
    for (const project of ['p1', 'p2'])
      expect(await exceptions.granted(project)).toMatchObject([{ id, everywhere: true, repository: 'front/**' }]);
    await expect(exceptions.get(front, id)).rejects.toMatchObject({ code: 'exception_unknown' });
    expect((await ledger.list({ target: 'installation', limit: 9 })).map(({ action }) => action)).toEqual([
      'exception.request',
      'exception.grant',
    ]);
    await exceptions.revoke(tom, EVERYWHERE, id, 'no more');
    expect(await exceptions.granted('p1')).toEqual([]);
  });

  /** An image of a project that holds a package. */
  async function hold(projectId: string, name: string, repositoryId: string, packageId: number): Promise<void> {
    const digest = `sha256:${repositoryId.padEnd(64, '0')}`;
    const { db } = handle;
    const at = { created_at: NOW };
    await db
      .insertInto('projects')
      .values({ id: projectId, name, public: 0, created_by: 'eva', ...at })
      .onConflict((conflict) => conflict.doNothing())
      .execute();
    await db
      .insertInto('repositories')
      .values({ id: repositoryId, project_id: projectId, name: `${name}/${repositoryId}`, ...at })
      .execute();
    const nothing = { artifact_type: null, subject: null, annotations: null };
    const manifest = {
      repository_id: repositoryId,
      digest,
      media_type: 'x',
      kind: 'image',
      size: 1,
      content: new Uint8Array(1),
    };
    await db
      .insertInto('manifests')
      .values({ ...manifest, ...nothing, created_by: 'eva', ...at })
      .execute();
    const inventory = { hash: digest, analyser: 'x', ecosystem: null, distribution: null, gaps: '[]', layers: null };
    await db
      .insertInto('inventories')
      .values({ ...inventory, complete: 1, ...at })
      .execute();
    await db
      .insertInto('inventory_packages')
      .values({ inventory_hash: digest, package_id: packageId, path: '', layer: null })
      .execute();
    await db
      .insertInto('images')
      .values({ digest, status: 'ready', inventory_hash: digest, error: null, updated_at: NOW })
      .execute();
  }

  it('gives the same list while nothing changes, so that an index over it is made once', async () => {
    const { id } = await exceptions.request(eva, front, wanted);
    await exceptions.grant(tom, front, id, { reason: 'ok' });
    expect(await exceptions.granted(front.id)).toBe(await exceptions.granted(front.id));
  });

  it('takes the type of a package that is here in one type only, and refuses the digest of an index', async () => {
    const row = {
      identity: 'x',
      purl: 'pkg:deb/debian/openssl@1',
      type: 'deb',
      name: 'libssl3',
      version: '1',
      source_name: 'openssl',
      lookup_name: 'openssl',
    };
    const { id: packageId } = await handle.db
      .insertInto('packages')
      .values({ ...row, arch: null, source_version: null, licence: null, module: null })
      .returning('id')
      .executeTakeFirstOrThrow();
    // It lies in a project of its own first: what nobody may look into says nothing.
    await hold('p2', 'back', 'r2', packageId);
    const ranged = { ...wanted, package: 'openssl', versions: '< 2' };
    const unknown = { code: 'exception_invalid', message: expect.stringMatching(/type/) };
    await expect(exceptions.request(eva, front, ranged)).rejects.toMatchObject(unknown);
    const reading = (...names: string[]) => open({ readableFor: async () => new Set(names) });
    await expect(reading('front').request(eva, EVERYWHERE, ranged)).rejects.toMatchObject(unknown);
    await expect(reading().request(eva, EVERYWHERE, ranged)).rejects.toMatchObject(unknown);
    expect(await reading('front', 'back').request(eva, EVERYWHERE, ranged)).toMatchObject({ packageType: 'deb' });
    await hold(front.id, front.name, 'r0', packageId);
    expect(await exceptions.request(eva, front, { ...wanted, package: 'openssl', versions: '< 2' })).toMatchObject({
      packageType: 'deb',
    });
    const [index, child] = [`sha256:${'a'.repeat(64)}`, `sha256:${'b'.repeat(64)}`];
    await handle.db
      .insertInto('repositories')
      .values({ id: 'r1', project_id: front.id, name: 'front/app', created_at: NOW })
      .execute();
    await handle.db
      .insertInto('manifests')
      .values({
        repository_id: 'r1',
        digest: index,
        media_type: 'x',
        kind: 'index',
        artifact_type: null,
        size: 1,
        content: new Uint8Array(1),
        subject: null,
        annotations: null,
        created_by: 'eva',
        created_at: NOW,
      })
      .execute();
    await handle.db
      .insertInto('manifest_children')
      .values({ repository_id: 'r1', parent_digest: index, position: 0, child_digest: child, platform: 'linux/arm64' })
      .execute();
    await expect(exceptions.request(eva, front, { ...wanted, digest: index })).rejects.toThrow(
      `${child} (linux/arm64)`,
    );
    await exceptions.request(eva, front, { ...wanted, digest: child });
  });

  it('is listed page by page, newest first', async () => {
    for (let at = 0; at < 5; at += 1) {
      if (at % 2 === 0) clock.advance(1);
      await exceptions.request(eva, front, { ...wanted, vulnerability: `CVE-2024-${at}` });
    }
    const all = await exceptions.list({ projectId: front.id });
    const first = await exceptions.list({ projectId: front.id, limit: 2 });
    const last = first.at(-1);
    const rest = await exceptions.list({ projectId: front.id, ...(last ? { after: last } : {}) });
    expect([...first, ...rest]).toEqual(all);
    expect(all.map(({ requestedAt }) => requestedAt)).toEqual(
      all.map(({ requestedAt }) => requestedAt).toSorted((a, b) => b - a),
    );
  });

  it.each([
    ['no vulnerability', { vulnerability: '' }],
    ['a vulnerability with a line break', { vulnerability: 'CVE-1\n2' }],
    ['no reason', { reason: '  ' }],
    ['an end that is now', { until: NOW }],
    ['an end too far away', { until: NOW + 365 * DAY + 1 }],
    ['an end that is no time', { until: Number.POSITIVE_INFINITY }],
    ['a version without a package', { version: '1' }],
    ['a type without a package', { packageType: 'apk' }],
    ['a digest that is none', { digest: 'sha256:1' }],
    ['a glob that is none', { repository: '../{a,b}' }],
    ['a costly glob', { repository: '*a*a*a*a*a*a*a*a*a' }],
    ['three stars', { repository: 'a***' }],
    ['a vulnerability and a rule', { rule: 'end-of-life', digest: `sha256:${'a'.repeat(64)}` }],
    ['a rule without a digest', { vulnerability: undefined, rule: 'end-of-life' }],
    [
      'a rule for a package',
      { vulnerability: undefined, rule: 'unscannable', digest: `sha256:${'a'.repeat(64)}`, package: 'a' },
    ],
    ['neither a vulnerability nor a rule', { vulnerability: undefined }],
    ['a range without a package', { versions: '< 1' }],
    ['a range without a type', { package: 'nobody-has-this', versions: '< 1' }],
    ['a range that cannot be read', { package: 'openssl', packageType: 'deb', versions: 'about 1' }],
    ['a range that holds nothing', { package: 'openssl', packageType: 'deb', versions: '< 1, > 2' }],
    ['a range of a type without an order', { package: 'a', packageType: 'conda', versions: '< 1' }],
    ['a version and a range', { package: 'openssl', packageType: 'deb', version: '1', versions: '< 2' }],
    ['a platform that is none', { platform: 'LINUX' }],
    ['not affected without a justification', { kind: 'not-affected' }],
    ['a justification of an accepted risk', { justification: 'component_not_present' }],
    ['until fixed without days', { kind: 'until-fixed' }],
    ['days of an accepted risk', { fixDays: 3 }],
    ['a line break in the reason', { reason: 'fine\r\nBcc: everybody' }],
    ['an invisible character in the ticket', { ticket: 'SEC\u202e1' }],
    ['a field that is unknown', { vulnerabilty: 'CVE-1' }],
  ] as const)('refuses %s', async (_name, change) => {
    const attempt = exceptions.request(eva, front, { ...wanted, ...(change as Partial<NewException>) });
    await expect(attempt).rejects.toMatchObject({ code: 'exception_invalid' });
    expect(await exceptions.list()).toEqual([]);
  });

  it.each(['RHSA-2024:1234', 'GHSA-aaaa-bbbb-cccc', 'DSA-1 2', 'TEMP-0841856-B18BAF'])(
    'takes the id %s',
    async (vulnerability) => {
      expect(await exceptions.request(eva, front, { ...wanted, vulnerability })).toMatchObject({ vulnerability });
    },
  );
});
