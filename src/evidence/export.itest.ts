import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import { createSecretBox } from '../auth/secret-box.ts';
import { createUserStore } from '../auth/user-store.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createExceptionStore } from '../exceptions/exception-store.ts';
import { exceptionDeps } from '../exceptions/testing.ts';
import { createLedger } from '../ledger/ledger.ts';
import { toRfc3339 } from '../platform/clock.ts';
import { createMemberStore } from '../projects/member-store.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { createProjectStore } from '../projects/project-store.ts';
import { createSourceStore } from '../trust/source-store.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, gated, NOW, type World } from '../verdicts/world.testing.ts';
import { evidenceSchema, evidenceToJson } from './document.ts';
import { exportEvidence, recordExport } from './export.ts';
import { renderEvidenceHtml } from './html.ts';
import { summarise } from './summary.ts';
import { verifyEvidence } from './verify.ts';

const person = (name: string): Principal => ({ kind: 'user', id: name, name, admin: true });
const [boss, dev] = [person('boss'), person('dev')];
const base = { distribution: '3.23.3', packages: ['musl@1.2.5-r0', 'busybox@1.36.1-r28'] };
const busyboxHigh = { [`${ALPINE}/busybox`]: [{ id: 'CVE-2024-1', fixed: '1.36.1-r29', severity: 'high' as const }] };
const month = { from: NOW, to: NOW + 30 * DAY };
const SECRET = 'a password nobody may see';

async function openStores(handle: DatabaseHandle, world: World) {
  const { clock } = world;
  const ledger = createLedger({ db: handle.db, clock });
  const base = { db: handle.db, clock, ledger, fourEyes: true };
  return {
    ...base,
    users: createUserStore(base),
    projects: createProjectStore({ ...base, box: createSecretBox(Buffer.alloc(32, 7)) }),
    members: createMemberStore(base),
    policies: createPolicyStore(base),
    exceptions: createExceptionStore({ ...base, ...exceptionDeps(handle) }),
    trust: createSourceStore(base),
    cluster: createClusterAuditStore(base),
    advisories: { current: () => world.state.advisories },
    installation: { name: 'test', hosts: ['registry.example.com'], software: 'breakwater 0.0.0' },
  };
}

describe.each(ENGINES)('evidence on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  let stores: Awaited<ReturnType<typeof openStores>>;

  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    world.state.advisories = advisoriesOf(busyboxHigh);
    stores = await openStores(handle, world);
    const { policies, exceptions, ledger } = stores;
    world.restart({ policies, exceptions, ledger });
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  /** A month in which everything happens once, and something before and after it. */
  async function live() {
    const { clock, db } = world;
    const { users, projects, members, policies, exceptions, trust, cluster } = stores;
    const front = await projects.get('front');
    clock.set(NOW - 10 * DAY);
    await users.create(boss, { name: 'boss', password: SECRET, admin: true });
    await users.create(boss, { name: 'dev', password: SECRET });
    await members.set(boss, front, 'dev', 'developer');
    await projects.create(boss, {
      name: 'hub',
      upstream: { url: 'https://up.example', username: 'robot', password: SECRET },
    });
    const old = await exceptions.request(dev, front, { vulnerability: 'CVE-2020-1', reason: 'old', until: NOW - DAY });
    await exceptions.grant(boss, front, old.id, { reason: 'long over' });
    const early = await exceptions.request(dev, front, {
      vulnerability: 'CVE-2020-2',
      reason: 'early',
      until: NOW + DAY,
    });
    await exceptions.grant(boss, front, early.id, { reason: 'in force when the period begins' });
    const sources = JSON.stringify(world.state.advisories?.sources);
    for (const [version, day] of [
      ['v0', -9],
      ['v1', -8],
      ['v2', 2],
      ['v3', 40],
    ] as const)
      await db
        .insertInto('advisory_versions')
        .values({ version, built_at: NOW, imported_at: NOW + day * DAY, imported_by: 'boss', sources })
        .execute();

    clock.set(NOW + DAY / 2);
    await policies.set(boss, front, gated, { reason: 'front office' });
    const app = await world.push('front/app', [base], '1.0');
    await world.pushArtifact('front/app');
    clock.set(NOW + 3 * DAY);
    const asked = await exceptions.request(dev, front, {
      vulnerability: 'CVE-2024-1',
      package: 'busybox',
      reason: 'not reachable </script>',
      ticket: 'T-9',
      until: NOW + 20 * DAY,
    });
    clock.advance(1000);
    await exceptions.grant(boss, front, asked.id, { reason: 'agreed' });
    await world.verdicts.rejudgeProject(front.id, 'exception');
    await world.runJobs();
    const reviewDue = NOW + 25 * DAY;
    const risk = { criteria: 'signed?', findings: 'signed', owner: 'team' };
    const source = await trust.propose(dev, { entry: 'registry.example.com/front', ...risk, reviewDue });
    await trust.approve(boss, source.id, 'looked at it');
    const temporary = await projects.create(boss, { name: 'gone' });
    await policies.set(boss, temporary, gated, { reason: 'a project that goes again' });
    await projects.remove(boss, 'gone');

    clock.set(NOW + 29 * DAY);
    const place = { namespace: 'web', kind: 'Pod', name: 'p' };
    await cluster.recordAudit({
      cluster: 'prod',
      startedAt: clock.now() - 5,
      finishedAt: clock.now(),
      objects: 2,
      running: [
        { ...place, container: 'own', image: 'registry.example.com/front/app:1.0' },
        { ...place, container: 'copy', image: 'other.example/app', digest: app.digest },
        { ...place, container: 'foreign', image: 'nginx' },
      ],
      violations: [{ ...place, constraint: 'c', action: 'warn', group: '', version: 'v1', message: 'no' }],
      incomplete: [],
    });
    clock.set(NOW + 31 * DAY);
    await projects.setPublic(boss, 'back', true);
    return { app, asked, early, source };
  }

  it('tells the whole month and verifies, as JSON and as a page', async () => {
    const { app, asked, early, source } = await live();
    const document = await exportEvidence(stores, month);
    expect(evidenceSchema.parse(document)).toEqual(document);
    expect(verifyEvidence(Buffer.from(evidenceToJson(document))).findings).toEqual([]);
    expect(verifyEvidence(Buffer.from(renderEvidenceHtml(document))).findings).toEqual([]);

    const { sections } = document;
    expect(sections.projects.map(({ name, members }) => [name, members.length])).toEqual([
      ['back', 0],
      ['front', 1],
      ['hub', 0],
    ]);
    expect(sections.users.map(({ name, roles }) => [name, roles])).toEqual([
      ['boss', []],
      ['dev', [{ project: 'front', role: 'developer' }]],
    ]);
    const image = sections.manifests.find(({ digest }) => digest === app.digest);
    expect(image).toMatchObject({ repository: 'front/app', tags: ['1.0'], kind: 'image', pushedBy: 'dev' });
    expect(image?.verdict).toMatchObject({ policyVersion: 1, worst: { vulnerability: 'CVE-2024-1' } });
    expect(sections.repositories).toMatchObject([{ name: 'front/app', manifests: 2, tags: [{ name: '1.0' }] }]);
    expect(sections.verdictChanges.map(({ kind, cause, digest }) => [kind, cause, digest === app.digest])).toEqual(
      expect.arrayContaining([
        ['block', 'push', true],
        ['allow', 'exception', true],
      ]),
    );
    expect(sections.policies.map(({ owner, origin }) => [owner, origin])).toEqual([
      ['installation', 'built-in'],
      ['project/back', 'built-in'],
      ['project/front', 'project'],
      ['project/hub', 'built-in'],
    ]);
    expect(sections.policyVersions).toMatchObject([
      { owner: 'project/front', version: 1, author: 'boss', reason: 'front office', policy: gated },
      { owner: 'project/gone', version: 2 },
    ]);
    expect(sections.advisoryVersions.map(({ version }) => version)).toEqual(['v1', 'v2']);
    expect(sections.advisorySources.map(({ ecosystem }) => ecosystem)).toEqual([ALPINE, 'npm']);
    expect(sections.exceptions.map(({ id, inForce }) => [id, inForce])).toEqual([
      [early.id, false],
      [asked.id, false],
    ]);
    expect(sections.exceptions[1]).toMatchObject({
      project: 'front',
      requestedBy: 'dev',
      decidedBy: 'boss',
      until: toRfc3339(NOW + 20 * DAY),
      decisions: [
        { action: 'exception.request', by: 'dev', reason: 'not reachable </script>' },
        { action: 'exception.grant', by: 'boss', reason: 'agreed' },
      ],
    });
    expect(sections.trustedSources).toMatchObject([
      { id: source.id, state: 'review due', findings: 'signed', decisions: [{ by: 'dev' }, { by: 'boss' }] },
    ]);
    const seen = new Map(sections.runningImages.map((one) => [one.container, one]));
    expect(seen.get('own')).toMatchObject({
      trusted: true,
      trustedBy: 'registry.example.com/front',
      current: true,
      verdict: { repository: 'front/app', digest: app.digest },
    });
    expect(seen.get('copy')).toMatchObject({ trusted: false, verdict: { repository: 'front/app' } });
    expect(seen.get('foreign')).toMatchObject({ trusted: false });
    expect(seen.get('foreign')).not.toHaveProperty('verdict');
    expect(summarise(document)).toMatchObject({
      stored: { projects: 3, repositories: 1, manifests: 2, tags: 1 },
      running: { clusters: 1, images: 3, untrusted: 2, violations: 1 },
      trust: { approved: 1, reviewDue: 1 },
    });
    expect(JSON.stringify(document)).not.toContain(SECRET);
    expect(JSON.stringify(document)).not.toMatch(/password_hash|argon2|secret/);
  });

  it('holds the audit log of the period with both its ends', async () => {
    await live();
    const all = await stores.ledger.list({ limit: 1000 });
    const inside = all.filter(({ at }) => at >= month.from && at < month.to);
    const { chain, sections } = await exportEvidence(stores, month);
    expect(sections.ledger.map(({ seq }) => seq)).toEqual(inside.map(({ seq }) => seq));
    expect(chain.before).toMatchObject({ seq: (inside[0]?.seq ?? 0) - 1, hash: inside[0]?.previousHash });
    expect(chain.last.hash).toBe(inside.at(-1)?.hash);
    expect(chain.after).toEqual({ seq: chain.last.seq + 1, previousHash: chain.last.hash });
    expect(chain.head).toEqual(await stores.ledger.head());
    expect(chain.checked).toEqual({ lines: all.length });

    const nothing = await exportEvidence(stores, { from: NOW + 5 * DAY, to: NOW + 6 * DAY });
    expect(nothing.chain.last).toEqual(nothing.chain.before);
    expect(nothing.chain.before.seq).toBe(inside.at(-1)?.seq);
    const whole = await exportEvidence(stores, { from: 0, to: NOW + 900 * DAY });
    expect(whole.sections.ledger).toHaveLength(all.length);
    for (const document of [nothing, whole])
      expect(verifyEvidence(Buffer.from(evidenceToJson(document))).findings).toEqual([]);
  });

  it.each<[string, (seq: number) => { change: 'delete' | 'update'; seq: number }]>([
    ['changed in', (first) => ({ change: 'update', seq: first + 1 })],
    ['removed at the beginning of', (first) => ({ change: 'delete', seq: first })],
    ['removed within', (first) => ({ change: 'delete', seq: first + 2 })],
  ])('finds a line %s the database', async (_what, choose) => {
    await live();
    const first = (await stores.ledger.list({ from: NOW, limit: 1 }))[0]?.seq ?? 0;
    const { change, seq } = choose(first);
    if (change === 'delete') await handle.db.deleteFrom('ledger').where('seq', '=', seq).execute();
    else await handle.db.updateTable('ledger').set({ actor: 'nobody' }).where('seq', '=', seq).execute();
    const document = await exportEvidence(stores, month);
    const said = verifyEvidence(Buffer.from(evidenceToJson(document))).findings.map(({ message }) => message);
    expect(said.join(' ')).toContain(`Line ${seq} of the audit log did not fit the chain in the database`);
    expect(said.join(' ')).toMatch(new RegExp(`Line ${seq} of the audit log (is missing|was changed)`));
  });

  it('finds the newest lines missing from the database', async () => {
    await live();
    const { seq } = (await stores.ledger.head()) ?? { seq: 0 };
    await handle.db.deleteFrom('ledger').where('seq', '=', seq).execute();
    const document = await exportEvidence(stores, { from: NOW, to: NOW + 60 * DAY });
    const { findings } = verifyEvidence(Buffer.from(evidenceToJson(document)));
    expect(findings.map(({ message }) => message)).toContain(`Line ${seq} of the audit log is missing.`);
  });

  it('walks a long audit log page by page, and writes down who took it', async () => {
    await handle.db.transaction().execute(async (tx) => {
      for (let at = 0; at < 2100; at += 1)
        await stores.ledger.append(tx, { actor: 'dev', action: 'x.y', target: 't', details: { at } });
    });
    const document = await exportEvidence(stores, month);
    expect(document.sections.ledger).toHaveLength(2100);
    expect(verifyEvidence(Buffer.from(evidenceToJson(document))).findings).toEqual([]);
    await recordExport(stores.ledger, boss, document);
    const [line] = await stores.ledger.list({ after: 2100, limit: 1 });
    expect(line).toMatchObject({
      actor: 'boss',
      action: 'evidence.export',
      details: { document: document.seals.document, head: 2100 },
    });
  });

  it('is empty where nothing happened yet, and refuses periods that cannot be', async () => {
    const document = await exportEvidence(stores, month);
    expect(document.chain).toMatchObject({ before: { seq: 0, hash: '' }, head: { seq: 0, hash: '' } });
    expect(verifyEvidence(Buffer.from(evidenceToJson(document))).findings).toEqual([]);
    for (const period of [
      { from: NOW, to: NOW },
      { from: NOW + 1, to: NOW + 2 },
      { from: Number.NaN, to: NOW },
      { from: -1, to: NOW },
    ])
      await expect(exportEvidence(stores, period)).rejects.toMatchObject({ code: 'period_invalid' });
  });
});
