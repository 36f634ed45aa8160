import type { InsertQueryNode } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { GENESIS, type LedgerEntry, verifyChain } from '../ledger/chain.ts';
import { createLedger, type Ledger } from '../ledger/ledger.ts';
import { digestOf } from '../oci/digest.ts';
import { OCI_MANIFEST } from '../oci/media-types.ts';
import { storeManifest } from './content-store.ts';
import type { Caller } from './ports.ts';
import { ensureRepository } from './repositories.ts';
import { imageManifest, pushBlob, pushImage, startRegistry, type TestRegistry } from './testing.ts';

const ROBOT: Caller = { name: 'robot$front+ci', person: 'eva', bypassesGate: false, may: () => true };

function tableOf({ into }: InsertQueryNode): string {
  return into?.table.identifier.name ?? '';
}

describe.each(ENGINES)('changes of content in the ledger on %s', (engine) => {
  let registry: TestRegistry;
  let ledger: Ledger;
  beforeAll(async () => {
    registry = await startRegistry(engine, 'memory', { authenticate: async () => ROBOT });
    ledger = createLedger(registry);
  });
  afterAll(() => registry.close());

  /** The lines something leaves. */
  async function linesOf(change: () => Promise<unknown>): Promise<LedgerEntry[]> {
    const before = (await ledger.head())?.seq ?? 0;
    await change();
    return ledger.list({ after: before, limit: 100 });
  }
  const call =
    (...args: Parameters<TestRegistry['call']>) =>
    async () => {
      const reply = await registry.call(...args);
      expect(reply.status, reply.body.toString()).toBeLessThan(300);
    };
  const put = (reference: string, manifest: object) =>
    call('PUT', `/v2/front/app/manifests/${reference}`, {
      headers: { 'content-type': OCI_MANIFEST },
      body: Buffer.from(JSON.stringify(manifest)),
    });

  it('has one for a push, with who, and what the tags pointed at before', async () => {
    const first = await pushImage(registry, 'front/app', '1');
    const [pushed] = await ledger.list({ limit: 1 });
    expect(pushed).toMatchObject({
      actor: 'robot$front+ci',
      action: 'manifest.push',
      target: `front/app@${first.digest}`,
      details: { person: 'eva', new: true, kind: 'image', tags: ['1'] },
    });
    expect(pushed?.details).not.toHaveProperty('moved');
    await pushBlob(registry, 'front/app', 'other');
    const other = imageManifest('other', ['layer of 1']);
    const digest = digestOf(Buffer.from(JSON.stringify(other)));
    const moved = await linesOf(put(`${digest}?tag=1&tag=2`, other));
    expect(moved).toMatchObject([
      {
        action: 'manifest.push',
        target: `front/app@${digest}`,
        details: { new: true, tags: ['1', '2'], moved: [{ tag: '1', before: first.digest }] },
      },
    ]);
    expect(await linesOf(put('2', other))).toMatchObject([{ details: { new: false, tags: ['2'] } }]);
  });

  it('has one for every deletion, with what went', async () => {
    const image = await pushImage(registry, 'front/app', 'a');
    await call('PUT', `/v2/front/app/manifests/b`, {
      headers: { 'content-type': image.mediaType },
      body: image.bytes,
    })();
    expect(await linesOf(call('DELETE', '/v2/front/app/manifests/a'))).toMatchObject([
      { action: 'tag.delete', target: 'front/app:a', details: { before: image.digest, after: null } },
    ]);
    expect(await linesOf(call('DELETE', `/v2/front/app/manifests/${image.digest}`))).toMatchObject([
      { action: 'manifest.delete', target: `front/app@${image.digest}`, details: { tags: ['b'], tagCount: 1 } },
    ]);
    expect(await linesOf(call('DELETE', `/v2/front/app/blobs/${image.layer}`))).toMatchObject([
      { action: 'blob.delete', target: `front/app@${image.layer}` },
    ]);
    for (const gone of ['manifests/a', `manifests/${image.digest}`, `blobs/${image.layer}`])
      expect(await linesOf(() => registry.call('DELETE', `/v2/front/app/${gone}`))).toEqual([]);
    expect(await ledger.list({ project: 'front', action: 'manifest', limit: 100 })).not.toEqual([]);
    expect(await ledger.list({ project: 'back', limit: 100 })).toEqual([]);
  });

  it('has none for uploads and mounts, which change nothing until a manifest names their content', async () => {
    const content = Buffer.from('some content');
    const digest = digestOf(content);
    const lines = await linesOf(async () => {
      await pushBlob(registry, 'front/one', content);
      await call('POST', `/v2/front/two/blobs/uploads/?mount=${digest}&from=front/one`)();
      const begun = await registry.call('POST', '/v2/front/two/blobs/uploads/');
      const place = String(begun.headers['location']);
      await call('PATCH', place, { body: content })();
      await call('DELETE', place)();
    });
    expect(lines).toEqual([]);
  });

  it('loses no line and chains all of them, however many push and read at the same time', async () => {
    await pushBlob(registry, 'back/many', 'config');
    const images = Array.from({ length: 40 }, (_, at) => ({ at, ...imageManifest('config', []) }));
    const before = (await ledger.head())?.seq ?? 0;
    await Promise.all([
      ...images.map((image, at) =>
        call('PUT', `/v2/back/many/manifests/t${at}`, {
          headers: { 'content-type': OCI_MANIFEST },
          body: Buffer.from(JSON.stringify(image)),
        })(),
      ),
      ...Array.from({ length: 5 }, () => ledger.chainPending()),
      ...Array.from({ length: 5 }, (_, at) => ledger.record({ actor: 'a', action: 'x.y', target: `t/${at}` })),
    ]);
    const lines = await ledger.list({ limit: 1000 });
    expect(verifyChain(lines, { seq: 0, hash: GENESIS })).toBeUndefined();
    const pushed = lines.filter(({ seq, action }) => seq > before && action === 'manifest.push');
    expect(new Set(pushed.map(({ details }) => String(details['tags']))).size).toBe(40);
    expect(await registry.db.selectFrom('ledger_pending').selectAll().execute()).toEqual([]);
  });

  it('costs a push two inserts, of its line and of what is told, and no waiting for others', async () => {
    await pushBlob(registry, 'back/cost', 'config');
    const repository = await ensureRepository(registry, 'back/cost');
    const pushed = async (label: string, audited: boolean) => {
      const statements: string[] = [];
      const db = registry.db.withPlugin({
        transformQuery({ node }) {
          statements.push(node.kind === 'InsertQueryNode' ? `insert ${tableOf(node)}` : node.kind);
          return node;
        },
        transformResult: async ({ result }) => result,
      });
      const bytes = Buffer.from(JSON.stringify({ label, ...imageManifest('config', []) }));
      const audit = audited ? { audit: { ledger, actor: 'eva' } } : {};
      const input = { repository, bytes, mediaType: OCI_MANIFEST, tags: ['cost'], createdBy: 'eva' } as const;
      await storeManifest({ db, clock: registry.clock }, { ...input, missingContent: 'refuse', ...audit });
      return statements;
    };
    await pushed('first', false);
    const [without, withAudit] = [await pushed('second', false), await pushed('third', true)];
    expect(without.length).toBeGreaterThan(3);
    expect(withAudit).toEqual([...without, 'insert ledger_pending', 'insert outbox']);
  });

  it('has none for a push that failed', async () => {
    const missing = imageManifest('never pushed', []);
    expect(
      await linesOf(() =>
        registry.call('PUT', '/v2/front/app/manifests/bad', {
          headers: { 'content-type': OCI_MANIFEST },
          body: Buffer.from(JSON.stringify(missing)),
        }),
      ),
    ).toEqual([]);
  });
});
