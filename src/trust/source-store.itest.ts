import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import { type Principal, SYSTEM } from '../auth/principal.ts';
import { createUserStore } from '../auth/user-store.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { parseReference } from '../oci/reference.ts';
import { fixedClock } from '../platform/clock.ts';
import { compileRepos } from './compile.ts';
import { compileEntries } from './match/matcher.ts';
import { createSourceStore, type SourceStore } from './source-store.ts';

const DAY = 86_400_000;
const NOW = 1_790_000_000_000;
const person = (name: string): Principal => ({ kind: 'user', id: `id-${name}`, name, admin: true });
const [eva, tom] = [person('eva'), person('tom')];
const analysis = {
  criteria: 'signed, patched weekly',
  findings: 'both hold',
  owner: 'platform team',
  reviewDue: NOW + 90 * DAY,
};

describe.each(ENGINES)('trusted sources on %s', (engine) => {
  let handle: DatabaseHandle;
  let clock: ReturnType<typeof fixedClock>;
  let ledger: Ledger;
  let sources: SourceStore;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    clock = fixedClock(NOW);
    ledger = createLedger({ db: handle.db, clock });
    sources = createSourceStore({ db: handle.db, clock, ledger, fourEyes: true });
  });
  afterEach(() => handle.close());

  it('go from proposal over approval and review to retirement, every step in the ledger', async () => {
    const { id, ...proposed } = await sources.propose(eva, { ...analysis, entry: 'Harbor.Example.com' });
    expect(proposed).toMatchObject({
      ...analysis,
      entry: 'harbor.example.com',
      scope: 'registry',
      state: 'proposed',
      proposedBy: 'eva',
      problems: [],
    });
    expect(await sources.approvedEntries()).toEqual([]);
    await expect(sources.approve(eva, id, 'mine')).rejects.toMatchObject({ code: 'four_eyes' });
    const users = createUserStore({ db: handle.db, clock, ledger });
    for (const name of ['eva', 'eva.admin']) await users.create(SYSTEM, { name, password: 'a long enough password' });
    await users.link(SYSTEM, 'eva.admin', 'eva');
    await expect(sources.approve(person('eva.admin'), id, 'mine')).rejects.toThrow(
      'eva.admin is also eva, who proposed',
    );
    clock.advance(1);
    await users.unlink(SYSTEM, 'eva.admin');
    await expect(sources.approve(person('eva.admin'), id, 'mine')).rejects.toMatchObject({ code: 'four_eyes' });
    clock.set(NOW);
    expect(await sources.approve(tom, id, 'agreed')).toMatchObject({
      state: 'approved',
      decidedBy: 'tom',
      decidedAt: NOW,
    });
    expect(await sources.approvedEntries()).toEqual([{ entry: 'harbor.example.com', reviewDue: false }]);
    clock.set(analysis.reviewDue);
    expect(await sources.get(id)).toMatchObject({ state: 'review due' });
    expect(await sources.approvedEntries()).toEqual([{ entry: 'harbor.example.com', reviewDue: true }]);
    expect(await sources.approvedEntries(NOW)).toEqual([{ entry: 'harbor.example.com', reviewDue: false }]);
    const next = { findings: 'still', reviewDue: clock.now() + DAY, reason: 'looked again' };
    await expect(sources.review(eva, id, next)).rejects.toMatchObject({ code: 'four_eyes' });
    expect(await sources.review(tom, id, next)).toMatchObject({
      state: 'approved',
      findings: 'still',
      reviewDue: next.reviewDue,
    });
    expect(await sources.retire(eva, id, 'moved away')).toMatchObject({ state: 'retired', retiredAt: clock.now() });
    expect(await sources.approvedEntries()).toEqual([]);
    await expect(sources.approve(tom, id, 'again')).rejects.toMatchObject({ code: 'source_state' });
    expect((await ledger.list({ target: 'trust/harbor.example.com', limit: 9 })).map(({ action }) => action)).toEqual([
      'trust.propose',
      'trust.approve',
      'trust.review',
      'trust.retire',
    ]);
  });

  it('are proposed once at a time, however they are written', async () => {
    const attempts = await Promise.allSettled(
      ['nginx', 'docker.io/library/nginx', 'index.docker.io/library/nginx', 'nginx'].map((entry) =>
        sources.propose(eva, { ...analysis, entry }),
      ),
    );
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(sources.propose(tom, { ...analysis, entry: 'nginx' })).rejects.toMatchObject({
      code: 'source_exists',
    });
    const [one] = await sources.list();
    await sources.retire(eva, one!.id, 'wrong');
    expect(await sources.propose(eva, { ...analysis, entry: 'nginx' })).toMatchObject({
      entry: 'docker.io/library/nginx',
    });
  });

  it('may be approved single-handed where that is allowed, and it shows', async () => {
    const alone = createSourceStore({ db: handle.db, clock, ledger, fourEyes: false });
    const { id } = await alone.propose(eva, { ...analysis, entry: 'quay.io' });
    expect(await alone.approve(eva, id, 'alone')).toMatchObject({ state: 'approved', problems: [{ kind: 'broad' }] });
    expect((await ledger.list({ limit: 9 })).at(-1)?.details).toMatchObject({ singleHanded: true });
  });

  it('become the list of the constraint, which trusts what was written', async () => {
    const entries = [
      'nginx',
      'quay.io/coreos/',
      'harbor.example.com:5000/',
      'localhost:5000',
      'bitnami/',
      `alpine@sha256:${'a'.repeat(64)}`,
      'MYHOST/',
    ];
    const alone = createSourceStore({ db: handle.db, clock, ledger, fourEyes: false });
    for (const entry of entries) {
      const { id } = await alone.propose(eva, { ...analysis, entry });
      await alone.approve(eva, id, 'ok');
    }
    const repos = compileRepos(await sources.approvedEntries());
    expect(repos).toEqual(
      [
        'MYHOST',
        `docker.io/library/alpine@sha256:${'a'.repeat(64)}`,
        'docker.io/bitnami/',
        'docker.io/library/nginx',
        'harbor.example.com:5000',
        'localhost:5000',
        'quay.io/coreos/',
      ].toSorted(),
    );
    const [written, kept] = [compileEntries(entries), compileEntries(repos)];
    for (const image of [
      'nginx',
      'nginx:1',
      'quay.io/coreos/etcd',
      'quay.io/coreos',
      'harbor.example.com:5000/a',
      'harbor.example.com/a',
      'localhost:5000/x',
      'bitnami/redis',
      'redis',
      'myhost/x',
      'MYHOST/x',
      `alpine@sha256:${'a'.repeat(64)}`,
      'alpine',
    ]) {
      const reference = parseReference(image);
      expect(kept.match(image, reference) !== undefined, image).toBe(written.match(image, reference) !== undefined);
    }
    expect(compileRepos([{ entry: 'b' }, { entry: 'a' }, { entry: 'b' }])).toEqual(['a', 'b']);
  });

  it.each([
    ['an entry that is none', { entry: 'https://a.example' }],
    ['an empty entry', { entry: '' }],
    ['no criteria', { criteria: ' ' }],
    ['no findings', { findings: '' }],
    ['no owner', { owner: '' }],
    ['a review in the past', { reviewDue: NOW }],
    ['a review in ten years', { reviewDue: NOW + 3650 * DAY }],
    ['criteria that clear the screen', { criteria: 'signed\u001b[2J' }],
    ['criteria with carriage returns', { criteria: 'signed\r\nweekly' }],
    ['findings that read backwards', { findings: 'both \u202ehold' }],
    ['an owner of two lines', { owner: 'platform\nteam' }],
    ['an owner that reads backwards', { owner: 'platform \u202eteam' }],
    ['a text without end', { findings: 'x'.repeat(9000) }],
  ])('refuse %s', async (_name, change) => {
    const attempt = sources.propose(eva, { ...analysis, entry: 'a.example', ...change });
    await expect(attempt).rejects.toMatchObject({ code: 'source_invalid' });
    expect(await sources.list()).toEqual([]);
  });

  it('may have findings and criteria of several lines, also when they are reviewed', async () => {
    const { id } = await sources.propose(eva, { ...analysis, entry: 'a.example', criteria: 'one\ntwo' });
    await sources.approve(tom, id, 'ok');
    const review = { findings: 'a\nb', reviewDue: NOW + DAY, reason: 'looked again' };
    expect(await sources.review(tom, id, review)).toMatchObject({ criteria: 'one\ntwo', findings: 'a\nb' });
    await expect(sources.review(tom, id, { ...review, findings: 'a\u0007' })).rejects.toMatchObject({
      code: 'source_invalid',
    });
  });

  it('need a reason and must exist', async () => {
    const { id } = await sources.propose(eva, { ...analysis, entry: 'a.example' });
    await expect(sources.approve(tom, id, '')).rejects.toMatchObject({ code: 'source_invalid' });
    await expect(sources.approve(tom, 'nothing', 'x')).rejects.toMatchObject({ code: 'source_unknown' });
  });
});
