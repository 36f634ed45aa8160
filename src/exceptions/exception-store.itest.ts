import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { verifyChain } from '../ledger/chain.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { isInForce } from '../policy/exception-match.ts';
import type { ExceptionSource } from '../verdicts/ports.ts';
import type { NewException } from './exception.ts';
import { createExceptionStore, type ExceptionStore } from './exception-store.ts';

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
    exceptions = createExceptionStore({ db: handle.db, clock, ledger, fourEyes: true });
  });
  afterEach(() => handle.close());

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
      state: 'requested',
      requestedBy: 'eva',
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
    const alone = createExceptionStore({ db: handle.db, clock, ledger, fourEyes: false });
    expect(await alone.grant(eva, front, asked.id, { reason: 'me' })).toMatchObject({
      state: 'granted',
      singleHanded: true,
    });
    expect((await ledger.list({ limit: 9 })).at(-1)?.details).toMatchObject({ singleHanded: true });
    const second = await alone.request(eva, front, wanted);
    expect(await alone.grant(tom, front, second.id, { reason: 'x' })).toMatchObject({ singleHanded: false });
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
      exceptions.deny(person('ada'), front, id, 'no'),
      exceptions.grant(person('kim'), front, id, { reason: 'yes' }),
    ]);
    expect(decisions.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await ledger.list({ limit: 9 })).toHaveLength(2);
    await expect(exceptions.deny(tom, front, id, 'no')).rejects.toMatchObject({ code: 'exception_state' });
  });

  it('can be denied, taken back and revoked, with a reason', async () => {
    const denied = await exceptions.request(eva, front, wanted);
    expect(await exceptions.deny(tom, front, denied.id, 'fix it')).toMatchObject({
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
  ] as const)('refuses %s', async (_name, change) => {
    const attempt = exceptions.request(eva, front, { ...wanted, ...change });
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
