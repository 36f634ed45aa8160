import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { collect } from '../gc/collect.ts';
import { createLedger } from '../ledger/ledger.ts';
import { parseReference } from '../oci/reference.ts';
import { silentLogger } from '../platform/logger.ts';
import { graceOf } from '../policy/judging.testing.ts';
import { defaultPolicy } from '../policy/policy.ts';
import { findRepository } from '../registry/content-store.ts';
import { deleteManifest } from '../registry/manifest-writer.ts';
import { markStale } from './verdict-store.ts';
import {
  ALPINE,
  advisoriesOf,
  createWorld,
  DAY,
  gated,
  NOW,
  scannerAccount,
  someone,
  type World,
} from './world.testing.ts';

const base = { distribution: '3.23.3', packages: ['musl@1.2.5-r0', 'busybox@1.36.1-r28'] };
const app = { packages: ['npm:lodash@4.17.20'] };
const busyboxHigh = { [`${ALPINE}/busybox`]: [{ id: 'CVE-2024-1', fixed: '1.36.1-r29', severity: 'high' as const }] };
const exception = {
  id: 'exception-1',
  vulnerability: 'CVE-2024-1',
  from: NOW,
  until: NOW + DAY,
};

describe.each(ENGINES)('verdicts on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;

  beforeEach(async () => {
    handle = await freshDatabase(engine);
    world = await createWorld(handle);
    world.state.advisories = advisoriesOf(busyboxHigh);
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  describe('ingest', () => {
    it('reads each layer once and answers a push with the verdict', async () => {
      const front = await world.push('front/app', [base, app], '1.0');
      expect(front.warnings).toEqual([
        'front/app:1.0 is blocked: CVE-2024-1 in busybox 1.36.1-r28 (fixed in 1.36.1-r29): high (nvd)',
      ]);
      const back = await world.push('back/app', [base, app]);
      expect(back.warnings[0]).toMatch(/^back\/app@sha256:[0-9a-f]{64} is allowed with a warning: CVE-2024-1/);
      await world.push('front/other', [base, { packages: ['zlib@1.3.1-r0'] }]);
      expect(world.state.analyser.reads).toBe(3);
    });

    it('keeps the inventory and gives it back as it was composed', async () => {
      const { digest } = await world.push('front/app', [base, app]);
      const inventory = await world.verdicts.inventoryOf(digest);
      expect(inventory).toMatchObject({ complete: true, distribution: { id: 'alpine', version: '3.23.3' }, gaps: [] });
      expect(inventory?.packages.map(({ type, name, version }) => `${type}/${name} ${version}`)).toEqual([
        'apk/busybox 1.36.1-r28',
        'apk/musl 1.2.5-r0',
        'npm/lodash 4.17.20',
      ]);
      const found = await world.verdicts.findingsOf(digest);
      expect(found?.findings.map((finding) => finding.id)).toEqual(['CVE-2024-1']);
      expect(found?.coverage).toMatchObject({ distribution: { recognised: true }, missing: [] });
    });

    it('keeps packages apart that differ in anything but where they lie, and shares the rest', async () => {
      await world.push('front/a', [base]);
      await world.push('front/b', [base, app]);
      expect(await world.db.selectFrom('packages').select('name').orderBy('name').execute()).toEqual([
        { name: 'busybox' },
        { name: 'lodash' },
        { name: 'musl' },
      ]);
    });

    it('survives names that no database can hold', async () => {
      const hostile = { ...base, packages: [...base.packages, `e\0vil\ud800@1\0`, `${'x'.repeat(20_000)}@1`] };
      const { warnings, digest } = await world.push('front/app', [hostile]);
      expect(warnings[0]).toContain('CVE-2024-1');
      expect((await world.verdicts.inventoryOf(digest))?.packages).toHaveLength(4);
    });

    it('answers when the time is over, and has the verdict later', async () => {
      await world.verdicts.close();
      world = await createWorld(await anotherDatabase(), { budgetMs: 20 });
      const { promise, resolve } = Promise.withResolvers<void>();
      world.state.analyser.gate = promise;
      const subject = await world.push('front/app', [base], 'slow');
      expect(subject.warnings).toEqual([
        'front/app:slow is still being analysed; see: breakwater verdict front/app:slow',
      ]);
      expect(world.state.jobs.size).toBe(1);
      expect(await world.verdictOf(subject)).toBeUndefined();
      resolve();
      await world.runJobs();
      expect(await world.verdictOf(subject)).toBeDefined();
    });

    it('takes up after a restart what was stored but not judged', async () => {
      const subject = await world.storeImage('front/app', [base]);
      world.restart();
      expect(await world.verdicts.resume()).toBe(1);
      await world.runJobs();
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'block' });
      expect(await world.verdicts.resume()).toBe(0);
    });

    it('reads again what an older analyser read, while the old verdict holds', async () => {
      const subject = await world.push('front/app', [base]);
      world.state.analyser.version = 'test@2';
      world.restart();
      expect(await world.verdicts.resume()).toBe(1);
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'block' });
      await world.runJobs();
      expect((await world.verdicts.inventoryOf(subject.digest))?.analyser).toBe('test@2');
      expect(await world.verdicts.resume()).toBe(0);
    });

    it.each([
      ['application/vnd.oci.image.layer.nondistributable.v1.tar+gzip', 'foreign'],
      ['application/vnd.oci.image.layer.v1.tar+gzip+encrypted', 'encrypted'],
    ])('does not take an image with layers of type %s for a clean one', async (type, word) => {
      const subject = await world.storeImage('front/app', [base], undefined, type);
      await world.verdicts.ingest.manifestStored(subject);
      const verdict = await world.verdictOf(subject);
      expect(verdict).toMatchObject({ kind: 'block', reasons: [{ rule: 'unscannable' }, { rule: 'unscannable' }] });
      expect(JSON.stringify(verdict)).toContain(word);
    });

    it('does not take an image for a clean one when a layer is no layer', async () => {
      const subject = await world.push('front/app', [base, { broken: true }]);
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'block' });
      expect((await world.verdictOf(subject))?.reasons[0]?.message).toMatch(/no file system layer/);
    });

    it('reports an analysis that dies, and judges when it works again', async () => {
      world.state.analyser.broken = true;
      const subject = await world.push('front/app', [base], '1');
      expect(subject.warnings[0]).toMatch(/could not be judged: layer sha256:.* the worker died/);
      expect(await world.pull(subject)).toMatchObject({
        kind: 'refuse',
        message: expect.stringMatching(/^current image with "Error" status .* the worker died/),
      });
      world.state.analyser.broken = false;
      await world.runJobs();
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'block' });
    });
  });

  describe('rescan', () => {
    it('reads all layers of a named image again, in every repository that holds it, and keeps what it finds', async () => {
      world.state.analyser.short = true;
      const front = await world.push('front/app', [base, app], '1');
      const back = await world.push('back/app', [base, app], '1');
      const index = await world.pushIndex('back/all', [back.digest]);
      expect(await world.verdicts.inventoryOf(front.digest)).toMatchObject({ complete: false, packages: [] });
      world.state.analyser.short = false;
      world.clock.advance(1);
      expect(await world.verdicts.rescan({ digest: index.digest })).toBe(2);
      world.clock.advance(1);
      await world.runJobs();
      expect(world.state.analyser.reads).toBe(4);
      expect((await world.verdicts.inventoryOf(front.digest))?.packages).toHaveLength(3);
      for (const { repository, digest } of [front, back]) {
        const [change] = await world.verdicts.history({ repository, digest, limit: 9 });
        expect(change).toMatchObject({ cause: 'analyser', added: [{ vulnerability: 'CVE-2024-1' }] });
      }
      // Whoever brings the layer again meets what is known now.
      const next = await world.restart().ingest.manifestStored(await world.storeImage('front/next', [base], '1'));
      expect([next.warnings[0], world.state.analyser.reads]).toEqual([expect.stringMatching(/CVE-2024-1/), 4]);
    });

    it('reads what could not be read, and nothing that could', async () => {
      await world.push('front/good', [base], '1');
      world.state.analyser.short = true;
      const half = await world.push('front/half', [base, app], '1');
      world.state.analyser.broken = true;
      const none = await world.push('front/none', [{ distribution: '3.23.3', packages: ['zlib@1.3.1-r0'] }], '1');
      world.state.jobs.clear();
      Object.assign(world.state.analyser, { short: false, broken: false, reads: 0 });
      world.clock.advance(1);
      expect(await world.verdicts.rescan('failed')).toBe(2);
      world.clock.advance(1);
      await world.runJobs();
      expect(world.state.analyser.reads).toBe(2);
      expect(await world.verdicts.inventoryOf(half.digest)).toMatchObject({ complete: true });
      expect(await world.verdictOf(none)).toMatchObject({ kind: 'allow' });
      expect(await world.verdicts.rescan('failed')).toBe(0);
    });

    it('leaves what was known in force when it fails', async () => {
      const subject = await world.push('front/app', [base], '1');
      world.state.analyser.broken = true;
      world.clock.advance(1);
      await world.verdicts.rescan({ digest: subject.digest });
      await expect(world.runJobs()).rejects.toThrow('the worker died');
      expect((await world.verdicts.inventoryOf(subject.digest))?.packages).toHaveLength(2);
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'block' });
    });
  });

  describe('gate', () => {
    it('acts on the very verdict everybody else is shown', async () => {
      const front = await world.push('front/app', [base], '1.0');
      const verdict = await world.verdictOf(front);
      expect(verdict?.kind).toBe('block');
      expect(await world.pull(front)).toMatchObject({
        kind: 'refuse',
        code: 'PROJECTPOLICYVIOLATION',
        message: expect.stringMatching(
          /^current image with 1 vulnerability cannot be pulled .* Worst: CVE-2024-1 in busybox 1\.36\.1-r28 \(fixed in 1\.36\.1-r29\), high \(nvd\)\. .*breakwater verdict front\/app:1\.0/,
        ),
      });
      const reference = parseReference('registry.example.com/front/app:1.0');
      expect(await world.verdicts.verdictByReference(reference)).toMatchObject({
        repository: 'front/app',
        digest: front.digest,
        verdict,
        sentence: expect.stringMatching(/^CVE-2024-1 in busybox/),
      });
      expect(await world.verdicts.verdictByReference(parseReference('evil.example.com/front/app:1.0'))).toBeUndefined();
      expect(
        await world.verdicts.verdictByReference(parseReference('registry.example.com/front/no:1')),
      ).toBeUndefined();
    });

    it('serves with a warning where the project only warns, and silently where nothing counts', async () => {
      const back = await world.push('back/app', [base]);
      expect(await world.pull(back)).toMatchObject({
        kind: 'serve',
        warnings: [expect.stringContaining('CVE-2024-1')],
      });
      world.state.advisories = advisoriesOf({});
      expect(await world.pull(back)).toEqual({ kind: 'serve', warnings: [] });
    });

    it('says that an exception was granted beside another, whoever judges it first', async () => {
      const { digest } = await world.push('front/app', [base]);
      world.state.exceptions = [exception];
      await world.verdicts.rejudgeProject('front', 'exception');
      const longer = { ...exception, id: 'exception-2', until: exception.until + 1 };
      world.state.exceptions = [exception, longer];
      await markStale(handle.db, 'exception');
      await world.verdicts.list({ limit: 9 });
      const [change] = await world.verdicts.history({ digest, limit: 1 });
      expect(change).toMatchObject({
        cause: 'exception',
        causeDetail: { exceptions: { begun: [], ended: [], replaced: [{ from: exception.id, to: longer.id }] } },
      });
    });

    it('ends an exception at its millisecond, without anybody doing anything', async () => {
      const subject = await world.push('front/app', [base]);
      world.state.exceptions.push(exception);
      expect(await world.verdicts.rejudgeProject('front', 'exception')).toMatchObject({
        judged: 1,
        changed: 1,
        released: 1,
      });
      world.clock.set(exception.until - 1);
      expect(await world.pull(subject)).toMatchObject({ kind: 'serve' });
      world.clock.set(exception.until);
      expect(await world.pull(subject)).toMatchObject({ kind: 'refuse' });
      expect((await world.verdicts.history({ limit: 9 })).map(({ cause, kind }) => `${cause} ${kind}`)).toEqual([
        'time block',
        'exception allow',
        'push block',
      ]);
    });

    it('never decides by an older policy or an older database', async () => {
      const subject = await world.push('front/app', [base]);
      world.state.policies.set('front', { policy: defaultPolicy, version: 7 });
      expect(await world.pull(subject)).toMatchObject({ kind: 'serve' });
      world.state.policies.set('front', { policy: gated, version: 8 });
      expect(await world.pull(subject)).toMatchObject({ kind: 'refuse' });
      world.state.advisories = advisoriesOf({});
      expect(await world.pull(subject)).toMatchObject({ kind: 'serve', warnings: [] });
      expect(await world.verdictOf(subject)).toMatchObject({
        inputs: { policy: 8, advisories: world.state.advisories.version },
      });
    });

    it('reads the policy for pulls by tag once per change, and goes by a change at once', async () => {
      world.state.advisories = advisoriesOf({});
      const pushed = await world.push('front/app', [base], 'latest');
      const byTag = { ...pushed, reference: 'latest' };
      expect(await world.pull(byTag)).toEqual({ kind: 'serve', warnings: [] });
      world.state.policyReads = 0;
      for (let pulls = 0; pulls < 5; pulls += 1) await world.pull(byTag);
      expect(world.state.policyReads).toBe(0);

      const disallowedTags = { globs: ['latest'], action: 'block' as const };
      world.state.policies.set('front', { policy: { ...gated, disallowedTags }, version: 8 });
      expect(await world.pull(byTag)).toMatchObject({
        kind: 'refuse',
        message: expect.stringContaining('the tag latest is not allowed here'),
      });
      expect(await world.pull({ ...pushed, reference: pushed.digest })).toEqual({ kind: 'serve', warnings: [] });
      world.state.policyReads = 0;
      for (let pulls = 0; pulls < 5; pulls += 1) expect(await world.pull(byTag)).toMatchObject({ kind: 'refuse' });
      expect(world.state.policyReads).toBe(0);

      // One that is to come is followed in time.
      const from = world.clock.now() + 1000;
      const coming = [{ policy: { ...gated, disallowedTags }, from }];
      world.state.policies.set('front', { policy: gated, coming, version: 9 });
      expect(await world.pull(byTag)).toMatchObject({
        kind: 'serve',
        warnings: [expect.stringContaining('the tag latest is not allowed here')],
      });
      // That one judged again; what it wrote was not there when it looked.
      await world.pull(byTag);
      world.state.policyReads = 0;
      world.clock.set(from - 1);
      expect(await world.pull(byTag)).toMatchObject({ kind: 'serve' });
      expect(world.state.policyReads).toBe(0);
      world.clock.set(from);
      expect(await world.pull(byTag)).toMatchObject({ kind: 'refuse' });
    });

    it('holds a pull until the first verdict is there', async () => {
      world.state.advisories = advisoriesOf({});
      const subject = await world.storeImage('front/app', [base]);
      expect(await world.pull(subject)).toEqual({ kind: 'serve', warnings: [] });
    });

    it('waits for a layer that is still on its way, and does not take the wait for a failure', async () => {
      world.state.advisories = advisoriesOf({});
      const subject = await world.storeImage('front/app', [base]);
      const rows = await world.db.selectFrom('blobs').selectAll().execute();
      await world.db.deleteFrom('blobs').execute();
      const pull = world.pull(subject);
      await world.db.insertInto('blobs').values(rows).execute();
      expect(await pull).toMatchObject({ kind: 'serve' });
    });

    it('asks to come back when a layer does not arrive in time', async () => {
      world.restart({ holdMs: 200 });
      world.state.advisories = advisoriesOf({});
      const subject = await world.storeImage('front/app', [base]);
      const rows = await world.db.selectFrom('blobs').selectAll().execute();
      await world.db.deleteFrom('blobs').execute();
      expect(await world.pull(subject)).toMatchObject({ kind: 'refuse', retryAfterSeconds: 10 });
      await world.db.insertInto('blobs').values(rows).execute();
      world.restart();
      expect(await world.pull(subject)).toMatchObject({ kind: 'serve' });
    });

    it('refuses with a time to come back when the verdict is not there in time', async () => {
      world.restart({ holdMs: 200 });
      const { promise, resolve } = Promise.withResolvers<void>();
      world.state.analyser.gate = promise;
      const subject = await world.storeImage('front/app', [base]);
      expect(await world.pull(subject)).toMatchObject({
        kind: 'refuse',
        retryAfterSeconds: 10,
        message: expect.stringMatching(
          /^current image with "Running" status of vulnerability scanning cannot be pulled/,
        ),
      });
      resolve();
    });

    it.each([
      ['ignore', { kind: 'serve', warnings: [] }],
      ['warn', { kind: 'serve', warnings: [expect.stringContaining('not been analysed yet')] }],
      ['block', { kind: 'refuse', message: expect.stringMatching(/^current image without vulnerability scanning/) }],
    ] as const)('unscanned: %s', async (unscanned, expected) => {
      world.state.policies.set('front', { policy: { ...gated, unscanned }, version: 3 });
      const subject = await world.storeImage('front/app', [base]);
      expect(await world.pull(subject)).toMatchObject(expected);
    });

    it('does not hold pulls of a project that refuses nothing', async () => {
      const subject = await world.storeImage('back/app', [base]);
      expect(await world.pull(subject)).toMatchObject({
        kind: 'serve',
        warnings: [expect.stringContaining('analysed')],
      });
      expect(world.state.analyser.reads).toBe(0);
    });

    it('serves holders of the bypass permission, on record, and only what it would have refused is on record', async () => {
      const subject = await world.push('front/app', [base], '1');
      const back = await world.push('back/app', [base]);
      await world.pull(back, scannerAccount);
      expect(world.state.ledger).toEqual([]);
      expect(await world.pull(subject, scannerAccount)).toMatchObject({ kind: 'serve' });
      expect(world.state.ledger).toMatchObject([
        {
          actor: 'scanner',
          action: 'gate.bypass',
          target: `front/app@${subject.digest}`,
          details: { image: 'front/app:1' },
        },
      ]);
    });

    it('refuses when it cannot decide, and when a bypass cannot be recorded', async () => {
      const subject = await world.push('front/app', [base]);
      const failing = world.restart({
        policies: { effectivePolicy: async () => Promise.reject(new Error('the disk is gone')) },
        ledger: { record: async () => Promise.reject(new Error('the ledger is full')) },
      });
      expect(await failing.gate.decide(subject, someone)).toMatchObject({
        kind: 'refuse',
        message: expect.stringMatching(/could not be judged: the disk is gone/),
      });
      const unrecorded = world.restart({ ledger: { record: async () => Promise.reject(new Error('ledger full')) } });
      expect(await unrecorded.gate.decide(subject, scannerAccount)).toMatchObject({ kind: 'refuse' });
    });
  });

  describe('indexes and artifacts', () => {
    it('judges an index by its children, and anew when one of them arrives', async () => {
      const blocked = await world.push('front/app', [base]);
      const clean = await world.storeImage('front/app', [{ ...base, packages: ['musl@1.2.5-r0'] }]);
      const index = await world.pushIndex('front/app', [blocked.digest, clean.digest], 'multi');
      expect(await world.verdictOf(index)).toMatchObject({ kind: 'warn' });
      await world.verdicts.ingest.manifestStored(clean);
      const verdict = await world.verdictOf(index);
      expect(verdict).toMatchObject({ kind: 'warn' });
      expect(verdict?.reasons.map(({ rule, message }) => `${rule} ${message.slice(0, 19)}`)).toContain(
        'platform linux/cpu1: allowed',
      );
      expect(await world.pull(index)).toMatchObject({ kind: 'serve' });
      expect(await world.pull(blocked)).toMatchObject({ kind: 'refuse' });
      const all = await world.pushIndex('front/app', [blocked.digest]);
      expect(await world.pull(all)).toMatchObject({ kind: 'refuse' });
    });

    it('follows its children through a change of advisories', async () => {
      const child = await world.push('front/app', [base]);
      const index = await world.pushIndex('front/app', [child.digest]);
      world.state.advisories = advisoriesOf({});
      expect(await world.pull(index)).toEqual({ kind: 'serve', warnings: [] });
    });

    it('says of an artifact that it does not run', async () => {
      const chart = await world.pushArtifact('front/chart');
      expect(await world.verdictOf(chart)).toMatchObject({ kind: 'allow', reasons: [{ rule: 'not-runnable' }] });
      expect(await world.pull(chart)).toEqual({ kind: 'serve', warnings: [] });
    });

    it.each([
      ['as written', '{"rootfs":{"diff_ids":["sha256:1"]}}'],
      ['in letters that Go takes too', '{"RootFS":{"DIFF_IDS":["sha256:1"]}}'],
      ['with a member twice', '{"rootfs":{"diff_ids":["sha256:1"]},"rootfs":{}}'],
      ['larger than anybody needs', `{"rootfs":{"diff_ids":["sha256:1"]},"x":"${'x'.repeat(8 << 20)}"}`],
    ])('gates an image under the types of an artifact, its configuration %s', async (_how, config) => {
      const disguised = await world.pushDisguised('front/disguised', { config, layer: base });
      expect(disguised.kind).toBe('artifact');
      expect(await world.pull(disguised)).toMatchObject({ kind: 'refuse' });
      const index = await world.pushIndex('front/disguised', [disguised.digest]);
      expect(await world.pull(index)).toMatchObject({ kind: 'refuse' });
    });

    it.each([
      ['a document as its layer', '{"rootfs":{"diff_ids":["sha256:1"]}}', { broken: true }],
      ['a configuration without layers', '{"architecture":"amd64","rootfs":{"diff_ids":[]}}', base],
      ['a configuration that is no JSON', 'apiVersion: v2', base],
    ])('leaves an artifact one that has %s', async (_what, config, layer) => {
      const artifact = await world.pushDisguised('front/thing', { config, layer });
      expect(await world.verdictOf(artifact)).toMatchObject({ reasons: [{ rule: 'not-runnable' }] });
      expect(await world.pull(artifact)).toEqual({ kind: 'serve', warnings: [] });
    });

    it('does not take for an artifact what cannot be looked into yet', async () => {
      const pending = await world.pushDisguised('front/thing', { config: undefined, layer: base });
      expect(await world.verdictOf(pending)).toBeUndefined();
    });
  });

  describe('new advisories', () => {
    it('look again only at what holds a changed package, and note on the rest that it still holds', async () => {
      const affected = await world.push('front/app', [base]);
      const index = await world.pushIndex('front/app', [affected.digest]);
      const other = await world.push('front/other', [{ distribution: '3.23.3', packages: ['musl@1.2.5-r0'] }]);
      const elsewhere = await world.push('front/old', [{ distribution: '3.19.1', packages: ['busybox@1'] }]);
      const previous = world.state.advisories?.version ?? '';
      const next = advisoriesOf({});
      world.state.advisories = next;
      const result = await world.verdicts.onAdvisoriesChanged({
        previous,
        next: next.version,
        keys: [{ ecosystem: ALPINE, name: 'busybox' }],
        ecosystems: [],
      });
      expect(result).toEqual({ judged: 2, changed: 2, blocked: 0, released: 2, failed: 0 });
      const rows = await world.db.selectFrom('verdicts').select(['digest', 'advisories', 'judged_at']).execute();
      expect(new Set(rows.map((row) => row.advisories))).toEqual(new Set([next.version]));
      for (const image of [other, elsewhere]) {
        const noted = await world.verdictOf(image);
        const judged = await world.verdicts.rejudgeProject('front', 'policy').then(() => world.verdictOf(image));
        expect(noted).toEqual(judged);
      }
      expect((await world.verdicts.history({ digest: index.digest, limit: 1 }))[0]).toMatchObject({
        cause: 'advisories',
        kind: 'allow',
        previous: 'block',
      });
    });

    it('find npm packages whatever the distribution, and ecosystems whose sources changed', async () => {
      await world.push('front/app', [base, app]);
      await world.push('front/base', [base]);
      const change = (keys: { ecosystem: string; name: string }[], ecosystems: string[]) =>
        world.verdicts.onAdvisoriesChanged({ previous: 'v0', next: 'v1', keys, ecosystems });
      expect(await change([{ ecosystem: 'npm', name: 'lodash' }], [])).toMatchObject({ judged: 1 });
      expect(await change([{ ecosystem: ALPINE, name: 'lodash' }], [])).toMatchObject({ judged: 0 });
      expect(await change([{ ecosystem: 'Alpine:v3.19', name: 'busybox' }], [])).toMatchObject({ judged: 0 });
      expect(await change([], [ALPINE])).toMatchObject({ judged: 2 });
      expect(await world.verdicts.onAdvisoriesChanged('all')).toMatchObject({ judged: 2 });
    });

    it('leave verdicts whose policy limits the age of advisories to be renewed', async () => {
      world.state.policies.set('front', {
        policy: { ...gated, advisoryAge: { days: 1, action: 'warn' as const } },
        version: 5,
      });
      world.state.advisories = advisoriesOf({}, NOW - 2 * DAY);
      const subject = await world.push('front/app', [base]);
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'warn', reasons: [{ rule: 'advisory-age' }] });
      const previous = world.state.advisories.version;
      world.state.advisories = advisoriesOf({}, NOW);
      await world.verdicts.onAdvisoriesChanged({
        previous,
        next: world.state.advisories.version,
        keys: [],
        ecosystems: [],
      });
      expect(await world.verdictOf(subject)).toMatchObject({ kind: 'allow', changesAt: NOW + DAY });
    });
  });

  describe('clocks', () => {
    const grace = { ...gated, graceDays: graceOf({ high: 10 }) };

    it('are not restarted by rebuilding, retagging or copying', async () => {
      for (const name of ['front', 'back']) world.state.policies.set(name, { policy: grace, version: 9 });
      await world.push('front/app', [base], 'a');
      world.clock.advance(4 * DAY);
      const rebuilt = await world.push('front/app', [base, app], 'a');
      const copied = await world.push('back/elsewhere', [base, app]);
      const copiedOn = await world.push('back/elsewhere', [base, app, app]);
      const fresh = await world.push('back/fresh', [base, { packages: ['zlib@1'] }]);
      const deadlines = await Promise.all([rebuilt, copied, copiedOn, fresh].map((image) => world.verdictOf(image)));
      expect(deadlines.map((verdict) => verdict?.changesAt)).toEqual([10, 10, 10, 14].map((days) => NOW + days * DAY));
      world.clock.set(NOW + 10 * DAY);
      expect((await world.pull(rebuilt)).kind).toBe('refuse');
      expect((await world.pull(fresh)).kind).toBe('serve');
      expect(await world.verdicts.rejudgeDue()).toMatchObject({ changed: 3, blocked: 3 });
      expect(await world.verdicts.rejudgeDue()).toMatchObject({ judged: 0 });
    });

    it('tell readers of a repository no more than its own history, and its deadline', async () => {
      for (const name of ['front', 'back']) world.state.policies.set(name, { policy: grace, version: 9 });
      const told = async (image: Parameters<World['verdictOf']>[0]) => {
        const { reasons = [] } = (await world.verdictOf(image)) ?? {};
        return reasons.flatMap(({ vulnerability, firstSeen, deadline }) =>
          vulnerability === undefined ? [] : [[firstSeen, deadline]],
        );
      };
      const first = await world.push('front/secret', [base], 'a');
      world.clock.advance(4 * DAY);
      const copied = await world.push('back/open', [base]);
      const days = NOW + 10 * DAY;
      expect(await told(first)).toEqual([[NOW, days]]);
      expect(await told(copied)).toEqual([[NOW + 4 * DAY, days]]);
      // Also of what is built from it later, when it is judged again, and with many at once.
      world.clock.advance(DAY);
      const rebuilt = await world.push('back/open', [base, app]);
      await world.verdicts.rejudgeAll('policy');
      for (const image of [copied, rebuilt]) expect(await told(image)).toEqual([[NOW + 4 * DAY, days]]);
      expect(await told(first)).toEqual([[NOW, days]]);
      // A repository that saw it later in another image learns nothing from a copy of an older one either.
      const own = await world.push('back/own', [base, app, app]);
      const late = await world.push('back/own', [base]);
      for (const image of [own, late]) expect((await told(image))[0]?.[0]).toBe(NOW + 5 * DAY);
      expect(await told(late)).toEqual([[NOW + 5 * DAY, days]]);
    });

    it('are not restarted by deleting what is in a repository, collecting it and pushing again', async () => {
      world.state.policies.set('front', { policy: grace, version: 9 });
      const first = await world.push('front/app', [base], 'a');
      const repository = await findRepository(world.db, 'front/app');
      if (!repository) throw new Error('the repository is gone');
      const stored = await world.db.selectFrom('blobs').select('digest').execute();
      const links = stored.map(({ digest }) => ({ repository_id: repository.id, digest, created_at: NOW }));
      await world.db.insertInto('repository_blobs').values(links).execute();
      await deleteManifest({ db: world.db, clock: world.clock }, repository, first.digest);
      const ledger = createLedger({ db: world.db, clock: world.clock });
      const { db, blobs, clock } = world;
      const collecting = {
        db,
        blobs,
        clock,
        logger: silentLogger,
        ledger,
        skipLocked: engine === 'postgres',
        delayMs: DAY,
      };
      // What the repository has of it, and then what nobody has any more.
      for (const kind of ['link', 'blob'] as const) {
        world.clock.advance(2 * DAY);
        expect((await collect(collecting, { mostReviews: 100 })).deleted[kind]).toBe(stored.length);
      }
      expect(await world.db.selectFrom('manifests').selectAll().execute()).toEqual([]);
      const [again, rebuilt] = [await world.push('front/app', [base], 'a'), await world.push('front/app', [base, app])];
      for (const image of [again, rebuilt]) expect((await world.verdictOf(image))?.changesAt).toBe(NOW + 10 * DAY);
    });

    it('of a fix and of a severity start when they are first seen, one by one and many at once', async () => {
      const policy = { ...grace, graceDays: graceOf({ high: 10, critical: 4 }) };
      world.state.policies.set('front', { policy, version: 9 });
      const found = (severity: 'high' | 'critical', fixed?: string) => {
        const known = { id: 'CVE-2024-1', severity, ...(fixed === undefined ? {} : { fixed }) };
        world.state.advisories = advisoriesOf({ [`${ALPINE}/busybox`]: [known] });
      };
      found('high');
      const image = await world.push('front/app', [base], 'a');
      expect(await world.verdictOf(image)).toMatchObject({ kind: 'allow' });
      world.clock.advance(20 * DAY);
      found('high', '9-r0');
      await world.verdicts.onAdvisoriesChanged('all');
      expect((await world.verdictOf(image))?.changesAt).toBe(NOW + 30 * DAY);
      world.clock.advance(DAY);
      found('critical', '9-r0');
      await world.verdicts.onAdvisoriesChanged('all');
      world.restart();
      expect((await world.verdictOf(image))?.changesAt).toBe(NOW + 25 * DAY);
      // What fell and rose again keeps the clock it had.
      found('high', '9-r0');
      expect((await world.verdictOf(image))?.changesAt).toBe(NOW + 30 * DAY);
      world.clock.advance(3 * DAY);
      found('critical', '9-r0');
      expect((await world.verdictOf(image))?.changesAt).toBe(NOW + 25 * DAY);
    });
  });

  it('lists what is kept, page by page', async () => {
    for (const name of ['front/b', 'back/a', 'front/a']) await world.push(name, [base]);
    await world.pushArtifact('front/chart');
    const all = await world.verdicts.list({ limit: 10 });
    expect(all.map(({ repository, manifest, verdict }) => `${repository} ${manifest} ${verdict.kind}`)).toEqual([
      'back/a image warn',
      'front/a image block',
      'front/b image block',
      'front/chart artifact allow',
    ]);
    const after = all[1];
    expect(await world.verdicts.list({ limit: 1, ...(after ? { after } : {}) })).toEqual(all.slice(2, 3));
    expect(await world.verdicts.list({ limit: 9, projectId: 'front', kind: 'block' })).toHaveLength(2);
  });

  it('gives the same verdict for the same inputs, however often it is asked to judge', async () => {
    const subject = await world.push('front/app', [base, app]);
    const first = await world.verdictOf(subject);
    await world.verdicts.rejudgeAll('policy');
    world.restart();
    await world.verdicts.rejudgeProject('front', 'exception');
    expect(await world.verdictOf(subject)).toEqual(first);
    expect(await world.verdicts.history({ limit: 10 })).toHaveLength(1);
  });

  it('does not let a judgement under way undo a granted exception', async () => {
    const subject = await world.push('front/app', [base]);
    const grant = async () => {
      world.state.exceptions.push(exception);
      await world.verdicts.rejudgeProject('front', 'exception');
    };
    await Promise.all([
      world.verdicts.ingest.manifestStored(subject),
      grant(),
      world.verdicts.ingest.manifestStored(subject),
      world.pull(subject),
    ]);
    expect((await world.pull(subject)).kind).toBe('serve');
  });

  async function anotherDatabase(): Promise<DatabaseHandle> {
    await handle.close();
    handle = await freshDatabase(engine);
    return handle;
  }
});
