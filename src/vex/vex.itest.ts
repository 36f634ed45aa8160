import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { Principal } from '../auth/principal.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { createExceptionStore, type ExceptionStore } from '../exceptions/exception-store.ts';
import { exceptionDeps } from '../exceptions/testing.ts';
import { createLedger } from '../ledger/ledger.ts';
import { type Digest, digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { silentLogger } from '../platform/logger.ts';
import type { ManifestSubject } from '../registry/ports.ts';
import { ALPINE, advisoriesOf, createWorld, DAY, gated, NOW, type World } from '../verdicts/world.testing.ts';
import type { NewAuthor } from './author.ts';
import { bytesOf, dsse, openVexOf, signBytes, type TestKey, testKey } from './signing.testing.ts';
import { createVex, type Vex } from './vex.ts';

const admin: Principal = { kind: 'user', id: 'admin', name: 'admin', admin: true };
const dev: Principal = { kind: 'user', id: 'dev', name: 'dev', admin: false };
const front = { id: 'front', name: 'front' };
const at = (ms: number): string => new Date(ms).toISOString();
const CVE = 'CVE-2026-0001';
const KEY = testKey();
const BUNDLE = 'application/vnd.dev.sigstore.bundle.v0.3+json';

describe.each(ENGINES)('VEX on %s', (engine) => {
  let handle: DatabaseHandle;
  let world: World;
  let vex: Vex;
  let exceptions: ExceptionStore;
  let image: ManifestSubject;

  beforeEach(async () => {
    handle = await freshDatabase(engine);
    const { db } = handle;
    const clock = { now: () => world?.clock.now() ?? NOW };
    const ledger = createLedger({ db, clock });
    exceptions = createExceptionStore({ db, clock, ledger, fourEyes: true, ...exceptionDeps(handle) });
    vex = createVex({
      db,
      clock,
      ledger,
      exceptions,
      logger: silentLogger,
      blobs: { open: (digest) => world.blobs.open(digest) },
      state: handle.state,
      hosts: ['registry.example.com'],
    });
    world = await createWorld(handle, { vex: vex.source });
    vex.follow({
      mark: (tx, change) => world.verdicts.markForVex(tx, change),
      renew: (change) => world.verdicts.onVexChanged(change),
    });
    await db
      .insertInto('users')
      .values({ id: 'dev', name: 'dev', password_hash: '', admin: 0, disabled: 0, created_at: NOW })
      .execute();
    world.state.advisories = advisoriesOf({
      [`${ALPINE}/openssl`]: [{ id: CVE, fixed: '3.5', severity: 'critical' }],
      [`${ALPINE}/zlib`]: [{ id: 'CVE-2026-0002', fixed: '2', severity: 'critical' }],
    });
    image = await world.push('front/app', [{ distribution: '3.23.0', packages: ['openssl@3.0'] }], '1');
  });
  afterEach(async () => {
    await world.verdicts.close();
    await handle.close();
  });

  const author = (key: TestKey, over: Partial<NewAuthor> = {}) =>
    vex.authors.add(admin, {
      name: 'Acme security',
      key: key.pem,
      products: ['front/**', 'pkg:apk/*'],
      statuses: ['not_affected', 'affected', 'fixed', 'under_investigation'],
      criteria: 'reviews call graphs',
      findings: 'good',
      owner: 'security',
      reviewDue: NOW + 100 * DAY,
      ...over,
    });
  const saying = (over: object = {}, head: object = {}) =>
    openVexOf(
      {
        vulnerability: { name: CVE },
        products: ['pkg:oci/app?repository_url=registry.example.com/front/app'],
        ...over,
      },
      head,
    );
  const hand = (document: object, over: { signature?: Buffer; name?: string } = {}) =>
    vex.takeIn({ by: dev, actor: 'dev', name: 'app.vex.json', bytes: bytesOf(document), project: front, ...over });
  const kindNow = async () => (await world.verdictOf(image))?.kind;
  const pulls = async () => (await world.pull(image)).kind;

  /** Hangs something on an image, as clients do, and has it read. */
  async function attach(document: object, options: { mediaType?: string; subject?: Digest; tag?: string } = {}) {
    const { mediaType = 'application/vnd.dsse.envelope.v1+json', subject = image.digest, tag } = options;
    const layer = await world.storeBytes(bytesOf(document));
    const empty = await world.storeBytes(Buffer.from('{}'));
    const stored = await world.store(
      'front/app',
      {
        schemaVersion: 2,
        mediaType: OCI_MANIFEST,
        artifactType: mediaType,
        config: { mediaType: 'application/vnd.oci.empty.v1+json', ...empty },
        layers: [{ mediaType, ...layer }],
        ...(tag === undefined ? { subject: { mediaType: OCI_MANIFEST, digest: subject, size: 1 } } : {}),
      },
      OCI_MANIFEST,
      tag,
    );
    await world.verdicts.ingest.manifestStored(stored);
    return vex.readAttached({ ...stored, ...(tag === undefined ? {} : { reference: tag }) });
  }

  it('counts when a declared author signed it, from the next pull on, and is on record with its cause', async () => {
    expect(await pulls()).toBe('refuse');
    await author(KEY);
    const taken = await hand(dsse(saying(), KEY));
    expect(taken).toMatchObject({ statements: 1, author: { name: 'Acme security' }, requested: [] });
    expect(await pulls()).toBe('serve');
    const verdict = await world.verdictOf(image);
    expect(verdict?.reasons.find(({ vulnerability }) => vulnerability === CVE)).toMatchObject({
      kind: 'allow',
      vex: { status: 'not_affected', author: 'Acme security', document: 'app.vex.json' },
    });
    const [change] = await world.verdicts.history({ repository: 'front/app', limit: 1 });
    expect(change).toMatchObject({ previous: 'block', kind: 'allow', cause: 'vex' });
  });

  it('counts with a signature that stands apart from the file', async () => {
    await author(KEY);
    const document = saying();
    await hand(document, { signature: signBytes(bytesOf(document), KEY) });
    expect(await kindNow()).toBe('allow');
  });

  it.each([
    ['no signature', (document: object) => document],
    ['the signature of somebody else', (document: object) => dsse(document, testKey())],
    [
      'a signature over something else',
      (document: object) => ({
        ...dsse(document, testKey()),
        signatures: (dsse({}, KEY) as { signatures: object[] }).signatures,
      }),
    ],
  ])('asks for an exception and does nothing else with %s', async (_, wrap) => {
    await author(KEY);
    const taken = await hand(wrap(saying()));
    expect(taken.author).toBeUndefined();
    expect(taken.requested).toHaveLength(1);
    expect(await pulls()).toBe('refuse');
    const [request] = await exceptions.list({ projectId: 'front' });
    expect(request).toMatchObject({
      id: taken.requested[0],
      vulnerability: CVE,
      repository: 'app',
      state: 'requested',
      kind: 'not-affected',
      justification: 'vulnerable_code_not_present',
      requestedBy: 'dev',
      reason: expect.stringContaining('"Acme" (unproven), says not affected: vulnerable_code_not_present'),
    });
    // One is enough, however often and in whatever form it comes.
    expect((await hand(saying({}, { '@id': 'other' }))).requested).toEqual([]);
    expect(await exceptions.list({ projectId: 'front' })).toHaveLength(1);
  });

  it('asks for nothing that was not found, that cannot be limited, or that does not say it is harmless', async () => {
    for (const statement of [
      { vulnerability: { name: 'CVE-1999-0001' } },
      { products: ['https://acme.example/app'] },
      { products: ['pkg:oci/other'] },
      { status: 'affected', action_statement: 'run' },
      { status: 'under_investigation' },
    ])
      expect((await hand(saying(statement))).requested).toEqual([]);
    expect(await exceptions.list({ projectId: 'front' })).toEqual([]);
  });

  it('asks for a bounded number of exceptions, however many statements come', async () => {
    const products = Array.from({ length: 500 }, (_, number) => `pkg:apk/alpine/openssl@${number}`);
    const taken = await hand(saying({ products }));
    expect(taken.requested).toHaveLength(25);
    expect(taken.left).toBeGreaterThan(100);
  });

  it('of the future is refused, and nothing is kept of it', async () => {
    await author(KEY);
    const lines = await createLedger({ db: handle.db, clock: world.clock }).head();
    const ahead = saying({}, { timestamp: at(NOW + DAY) });
    await expect(hand(dsse(ahead, KEY))).rejects.toMatchObject({ code: 'vex_invalid' });
    await expect(hand(dsse(ahead, KEY))).rejects.toThrow('is from the future: it says something at');
    expect(await vex.documents.list('front')).toEqual([]);
    expect(await createLedger({ db: handle.db, clock: world.clock }).head()).toEqual(lines);
    expect((await hand(dsse(saying({}, { timestamp: at(NOW + 60_000) }), KEY))).author).toBeDefined();
  });

  it('holds for the whole installation only when it is signed', async () => {
    const everywhere = (document: object) =>
      vex.takeIn({ by: admin, actor: 'admin', name: 'f', bytes: bytesOf(document) });
    await author(KEY);
    await expect(everywhere(saying())).rejects.toMatchObject({ code: 'vex_unsigned' });
    await everywhere(dsse(saying(), KEY));
    expect(await kindNow()).toBe('allow');
  });

  describe('of a pusher', () => {
    it.each([
      ['as an attestation', 'application/vnd.in-toto+json', false],
      ['in a bundle', BUNDLE, false],
      ['under the old tag of cosign', 'application/vnd.dsse.envelope.v1+json', true],
    ])('counts when it is signed: %s', async (_, mediaType, underTag) => {
      await author(KEY);
      const envelope = dsse(saying(), KEY, [image.digest]);
      const material = { mediaType, dsseEnvelope: envelope, verificationMaterial: { publicKey: { hint: 'x' } } };
      const tag = `sha256-${image.digest.slice('sha256:'.length)}.att`;
      const [taken] = await attach(mediaType === BUNDLE ? material : envelope, {
        mediaType,
        ...(underTag ? { tag } : {}),
      });
      expect(taken?.author).toMatchObject({ name: 'Acme security' });
      expect(await pulls()).toBe('serve');
    });

    it('asks for an exception for that image when it is not', async () => {
      await author(KEY);
      await attach(saying(), { mediaType: 'application/vnd.openvex+json' });
      expect(await pulls()).toBe('refuse');
      expect(await exceptions.list({ projectId: 'front' })).toMatchObject([
        { vulnerability: CVE, digest: image.digest, requestedBy: 'dev', state: 'requested' },
      ]);
    });

    it('counts when its author is declared only afterwards', async () => {
      await attach(dsse(saying(), KEY, [image.digest]), { tag: `sha256-${image.digest.slice('sha256:'.length)}.att` });
      expect(await pulls()).toBe('refuse');
      await author(KEY);
      await vex.readUnprovenAgain();
      expect(await pulls()).toBe('serve');
    });

    it('says nothing about an image its attestation does not name', async () => {
      await author(KEY);
      const envelope = dsse(saying({ products: ['pkg:apk/openssl'] }), KEY, [digestOf('another image')]);
      await attach(envelope);
      expect(await pulls()).toBe('refuse');
      const { explained } = await explain();
      expect(explained).toEqual([['objected', 'its attestation is about other images']]);
    });

    it('is passed over where it is something else', async () => {
      expect(await attach({ anything: 1 })).toEqual([]);
      expect(await attach({ payload: '!', payloadType: 'x', signatures: 1 })).toEqual([]);
      expect(await attach(saying(), { mediaType: 'text/plain' })).toEqual([]);
    });

    it('does not take the signature from what was said with one', async () => {
      await author(KEY);
      await hand(dsse(saying(), KEY));
      await hand(saying());
      expect(await kindNow()).toBe('allow');
    });
  });

  describe('of an author', () => {
    it.each([
      ['another status', { statuses: ['affected' as const] }, 'may not say "not_affected", only affected'],
      ['other repositories', { products: ['back/**'] }, 'may speak of back/** only'],
      ['packages, about an image', { products: ['pkg:apk/*'] }, 'may speak of pkg:apk/* only'],
    ])('who may only speak of %s does not count', async (_, over, why) => {
      await author(KEY, over);
      await hand(dsse(saying(), KEY));
      expect(await pulls()).toBe('refuse');
      expect((await explain()).explained).toEqual([['objected', expect.stringContaining(why)]]);
    });

    it('counts no more once the author is retired', async () => {
      const { id } = await author(KEY);
      await hand(dsse(saying(), KEY));
      expect(await pulls()).toBe('serve');
      const { change } = await vex.authors.retire(admin, id, { reason: 'left' });
      // Before anybody judged anew.
      expect(await pulls()).toBe('refuse');
      await vex.renew(change);
      expect(await kindNow()).toBe('block');
      await expect(hand(dsse(saying({}, { version: 2 }), KEY))).rejects.toMatchObject({ code: 'vex_revoked' });
      await expect(vex.authors.retire(admin, id, { reason: 'x' })).rejects.toMatchObject({ code: 'author_state' });
    });

    it('whose key was revoked counts for what came before, and for nothing that came after', async () => {
      const { id } = await author(KEY);
      await hand(dsse(saying({}, { version: 3 }), KEY));
      world.clock.advance(DAY);
      const since = world.clock.now();
      world.clock.advance(DAY);
      await hand(dsse(saying({ status: 'affected', action_statement: 'upgrade' }, { timestamp: at(NOW + DAY) }), KEY));
      expect(await pulls()).toBe('refuse');
      await vex.authors.retire(admin, id, { reason: 'stolen', revokedAt: since });
      expect(await pulls()).toBe('serve');
      await expect(hand(dsse(saying({}, { version: 4 }), KEY))).rejects.toThrow('was revoked at');
      await expect(
        vex.authors.retire(admin, id, { reason: 'x', revokedAt: world.clock.now() + 1 }),
      ).rejects.toMatchObject({ code: 'author_invalid' });
    });

    it('is heard with the newest that was said, and the more cautious of two authors', async () => {
      const other = testKey('ed25519');
      await author(KEY);
      await author(other, { name: 'Bolt' });
      await hand(dsse(saying({}, { timestamp: at(NOW - 5 * DAY) }), KEY));
      await hand(dsse(saying({ status: 'affected' }, { timestamp: at(NOW - 6 * DAY) }), KEY));
      expect(await kindNow()).toBe('allow');
      await hand(dsse(saying({ status: 'under_investigation' }, { timestamp: at(NOW - 9 * DAY) }), other));
      expect(await kindNow()).toBe('block');
      expect((await explain()).explained.map(([outcome]) => outcome)).toEqual(['decides', 'outranked', 'superseded']);
      expect((await explain(['Acme security'])).explained.map(([outcome]) => outcome)).toEqual([
        'decides',
        'outranked',
        'superseded',
      ]);
      expect((await explain(['Acme security'])).status).toBe('not_affected');
      world.state.policies.set('front', { policy: { ...gated, vexAuthors: ['Acme security'] }, version: 9 });
      expect(await kindNow()).toBe('allow');
    });
  });

  it('that is withdrawn counts no more and does not come back', async () => {
    await author(KEY);
    const { document } = await hand(dsse(saying(), KEY));
    const { change } = await vex.documents.withdraw(admin, front, document.id, 'wrong');
    expect(await pulls()).toBe('refuse');
    await vex.renew(change);
    await expect(hand(dsse(saying(), KEY))).rejects.toThrow('was withdrawn here');
    await expect(hand({ ...dsse(saying(), KEY), note: 'other bytes around it' })).rejects.toThrow('was withdrawn here');
    await expect(vex.documents.withdraw(admin, front, document.id, 'x')).rejects.toMatchObject({ code: 'vex_unknown' });
  });

  it.each([
    ['another package', { products: ['pkg:apk/zlib'] }, 'other-product'],
    ['another version', { products: ['pkg:apk/openssl@9'] }, 'other-version'],
    [
      'another component of the image',
      { products: [{ '@id': 'registry.example.com/front/app', subcomponents: [{ '@id': 'pkg:apk/zlib' }] }] },
      'other-component',
    ],
    ['another image', { products: ['registry.example.com/front/other'] }, 'other-product'],
    ['a tag, which moves', { products: ['registry.example.com/front/app:1'] }, 'other-product'],
  ])('explains that it is about %s', async (_, statement, outcome) => {
    await author(KEY);
    await hand(dsse(saying(statement), KEY));
    expect(await pulls()).toBe('refuse');
    expect((await explain()).explained).toEqual([[outcome, expect.any(String)]]);
  });

  it.each([
    ['a name with a line break', { name: 'a\nb' }],
    ['no product', { products: [] }],
    ['a product with a version', { products: ['pkg:apk/openssl?arch=x'] }],
    ['many stars', { products: ['*a*a*a*a*a*a*a*a*a*'] }],
    ['a review in the past', { reviewDue: NOW - 1 }],
    ['a review that is no time', { reviewDue: Number.NaN }],
    ['no key', { key: 'x' }],
  ])('has no author with %s', async (_, over) => {
    await expect(author(KEY, over)).rejects.toMatchObject({ code: 'author_invalid' });
    expect(await vex.authors.list()).toEqual([]);
  });

  it('has one author of a name, and one of a key', async () => {
    await author(KEY);
    await expect(author(testKey())).rejects.toMatchObject({ code: 'author_exists' });
    await expect(author(KEY, { name: 'Other' })).rejects.toMatchObject({ code: 'author_exists' });
  });

  async function explain(order: readonly string[] = []) {
    const inventory = await world.verdicts.inventoryOf(image.digest);
    const found = await world.verdicts.findingsOf(image.digest);
    const place = { ...image, projectId: 'front' };
    const weighed = { place, findings: found?.findings ?? [], inventory: inventory!, order };
    const [one] = await vex.source.weigh(weighed, 'all');
    return {
      status: one?.weighing.decisive?.status,
      explained: (one?.weighing.considered ?? []).map(({ outcome, objection }) => [outcome, objection ?? ''] as const),
    };
  }
});
