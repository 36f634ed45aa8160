import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES, freshDatabase } from '../../test/support/engines.ts';
import type { DatabaseHandle } from '../db/database.ts';
import { parseReference } from '../oci/reference.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import { pruneChanges } from './changes.ts';
import { createFeed, type Feed } from './feed.ts';
import { createFactsMemory, type FactsMemory } from './memory.ts';
import type { FactsPage } from './page.ts';
import { EVERYTHING, type Scope, scopeOf } from './scope.ts';
import { SLOTS } from './slots.ts';

const HOST = 'registry.example.com';
const NOW = 1_800_000_000_000;
const PROJECTS = ['front', 'back', 'hub'] as const;
const DIGESTS = [1, 2, 3].map((n) => `sha256:${String(n).repeat(64)}`);

const repository = fc.constantFrom('front/a', 'front/b', 'back/a', 'hub/library/nginx');
const digest = fc.constantFrom(...DIGESTS);
const tag = fc.constantFrom('1', 'latest', '__proto__');
const action = fc.oneof(
  fc.record({ do: fc.constant('tag' as const), repository, tag, digest }),
  fc.record({ do: fc.constant('untag' as const), repository, tag }),
  fc.record({ do: fc.constant('store' as const), repository, digest }),
  fc.record({ do: fc.constant('remove' as const), repository, digest }),
  fc.record({
    do: fc.constant('judge' as const),
    repository,
    digest,
    kind: fc.constantFrom('allow', 'warn', 'block'),
    why: fc.constantFrom('one', 'two'),
  }),
  fc.record({ do: fc.constant('drop' as const), repository }),
  fc.record({
    do: fc.constant('upstream' as const),
    url: fc.constantFrom(undefined, 'https://a.example', 'https://b.example'),
  }),
  fc.record({
    do: fc.constant('trust' as const),
    entry: fc.constantFrom('a.example', 'b.example/x'),
    state: fc.constantFrom('proposed', 'approved', 'retired'),
  }),
  fc.record({
    do: fc.constant('policy' as const),
    owner: fc.constantFrom<string>('', 'front', 'back'),
    document: fc.constantFrom<object>(
      {},
      { disallowedTags: { globs: ['latest'], action: 'block' } },
      { digestRequired: 'warn' },
      { digestRequired: 'ignore' },
      { warn: { fixable: 'low' } },
    ),
    from: fc.constantFrom<number | null>(null, NOW - 5, NOW + 5),
  }),
  fc.record({ do: fc.constant('anew' as const) }),
  fc.record({
    do: fc.constant('quarantine' as const),
    digest,
    state: fc.constantFrom('active', 'release-asked', 'released'),
  }),
);
type Action = typeof action extends fc.Arbitrary<infer Value> ? Value : never;

describe.each(ENGINES)('the feed of facts on %s', (engine) => {
  let handle: DatabaseHandle;
  let feed: Feed;
  let ids = 0;
  beforeEach(async () => {
    handle = await freshDatabase(engine);
    feed = open();
    for (const name of PROJECTS)
      await handle.db
        .insertInto('projects')
        .values({ id: `id-${name}`, name, public: 0, created_by: 'a', created_at: 0 })
        .execute();
  });
  afterEach(async () => {
    feed.close();
    await handle.close();
  });

  const open = () =>
    createFeed({
      database: handle,
      clock: fixedClock(NOW),
      logger: silentLogger,
      hosts: [HOST],
      placeOf: (url) => ({ registry: new URL(url).host, prefix: '' }),
    });

  async function idOf(name: string): Promise<string> {
    const found = await handle.db.selectFrom('repositories').select('id').where('name', '=', name).executeTakeFirst();
    if (found) return found.id;
    ids += 1;
    const id = `r${ids}`;
    const row = { id, project_id: `id-${name.split('/', 1)[0] ?? ''}`, name, created_at: 0 };
    await handle.db.insertInto('repositories').values(row).execute();
    return id;
  }

  async function projectId(name: string): Promise<string> {
    return (await handle.db.selectFrom('projects').select('id').where('name', '=', name).executeTakeFirstOrThrow()).id;
  }

  async function act(step: Action): Promise<void> {
    const { db } = handle;
    switch (step.do) {
      case 'tag': {
        const row = { repository_id: await idOf(step.repository), name: step.tag, digest: step.digest, updated_at: 0 };
        await db
          .insertInto('tags')
          .values(row)
          .onConflict((conflict) => conflict.columns(['repository_id', 'name']).doUpdateSet({ digest: row.digest }))
          .execute();
        return;
      }
      case 'untag':
        await db
          .deleteFrom('tags')
          .where('repository_id', '=', await idOf(step.repository))
          .where('name', '=', step.tag)
          .execute();
        return;
      case 'store':
        await db
          .insertInto('manifests')
          .values({
            repository_id: await idOf(step.repository),
            digest: step.digest,
            media_type: 'm',
            kind: 'image',
            artifact_type: null,
            size: 1,
            content: new Uint8Array(),
            subject: null,
            annotations: null,
            created_by: 'a',
            created_at: 0,
          })
          .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doNothing())
          .execute();
        return;
      case 'remove': {
        const id = await idOf(step.repository);
        for (const table of ['manifests', 'verdicts'] as const)
          await db.deleteFrom(table).where('repository_id', '=', id).where('digest', '=', step.digest).execute();
        return;
      }
      case 'judge': {
        const id = await idOf(step.repository);
        const document = JSON.stringify({
          kind: step.kind,
          reasons: [{ rule: 'kev', kind: step.kind, severity: 'high', message: step.why, source: 't' }],
          counts: { total: 1, fixable: 1, suppressed: 0 },
        });
        const row = { kind: step.kind, document, advisories: '', policy_version: 1, judged_at: 7, changes_at: null };
        await db
          .insertInto('verdicts')
          .values({ repository_id: id, digest: step.digest, ...row })
          .onConflict((conflict) => conflict.columns(['repository_id', 'digest']).doUpdateSet(row))
          .execute();
        return;
      }
      case 'drop':
        await db.transaction().execute(async (tx) => {
          const id = await tx
            .selectFrom('repositories')
            .select('id')
            .where('name', '=', step.repository)
            .executeTakeFirst();
          if (!id) return;
          for (const table of ['tags', 'manifests', 'verdicts'] as const)
            await tx.deleteFrom(table).where('repository_id', '=', id.id).execute();
          await tx.deleteFrom('repositories').where('id', '=', id.id).execute();
        });
        return;
      case 'upstream': {
        await db.deleteFrom('upstreams').where('project_id', '=', 'id-hub').execute();
        const { url } = step;
        if (url === undefined) return;
        const row = { project_id: 'id-hub', url, username: null, secret: null, freshness_seconds: 1 };
        await db.insertInto('upstreams').values(row).execute();
        return;
      }
      case 'policy': {
        const newest = await db.selectFrom('policies').select('version').orderBy('version', 'desc').executeTakeFirst();
        await db
          .insertInto('policies')
          .values({
            project_id: step.owner === '' ? '' : await projectId(step.owner),
            version: (newest?.version ?? 0) + 1,
            document: JSON.stringify(step.document),
            author: 'a',
            reason: 'r',
            created_at: NOW - 10,
            effective_from: step.from,
          })
          .execute();
        return;
      }
      case 'anew':
        // Another project under the name of one that had a policy.
        await db.deleteFrom('projects').where('name', '=', 'bare').execute();
        ids += 1;
        await db
          .insertInto('projects')
          .values({ id: `p${ids}`, name: 'bare', public: 0, created_by: 'a', created_at: 0 })
          .execute();
        await act({ do: 'policy', owner: 'bare', document: { digestRequired: 'block' }, from: null });
        if (ids % 2 === 0) await db.deleteFrom('projects').where('name', '=', 'bare').execute();
        return;
      case 'quarantine': {
        const { numUpdatedRows } = await db
          .updateTable('quarantines')
          .set({ state: step.state })
          .where('digest', '=', step.digest)
          .executeTakeFirst();
        if (numUpdatedRows > 0n) return;
        ids += 1;
        const [asked, over] = [null, null];
        await db
          .insertInto('quarantines')
          .values({
            id: `q${ids}`,
            target: step.digest,
            digest: step.digest,
            purl: null,
            versions: null,
            reason: 'bad',
            ticket: 'INC-1',
            state: step.state,
            added_by: 'a',
            added_at: ids,
            release_asked_by: asked,
            release_asked_person: asked,
            release_asked_at: asked,
            release_reason: asked,
            released_by: over,
            released_at: over,
            release_confirmed: over,
            applied_at: null,
          })
          .execute();
        return;
      }
      case 'trust': {
        const { numUpdatedRows } = await db
          .updateTable('trusted_sources')
          .set({ state: step.state })
          .where('entry', '=', step.entry)
          .executeTakeFirst();
        if (numUpdatedRows > 0n) return;
        ids += 1;
        const row = {
          id: `t${ids}`,
          scope: 'registry',
          entry: step.entry,
          state: step.state,
          criteria: '',
          findings: '',
        };
        const none = { decided_by: null, decided_at: null, decision_reason: null, retired_at: null };
        await db
          .insertInto('trusted_sources')
          .values({ ...row, ...none, owner: '', proposed_by: '', proposed_at: 0, review_due: 0 })
          .execute();
      }
    }
  }

  /** Reads until there is nothing more; gives where that is. */
  async function follow(memory: FactsMemory, scope: Scope, from?: string, pages: FactsPage[] = []): Promise<string> {
    let cursor = from;
    for (;;) {
      const page = await feed.read({ scope, cursor, waitMs: 0 });
      pages.push(page);
      // What travels is JSON.
      memory.apply(JSON.parse(JSON.stringify(page)) as FactsPage);
      cursor = page.cursor;
      if (page.complete) return cursor;
    }
  }

  async function fullAccount(scope: Scope): Promise<FactsMemory> {
    const memory = createFactsMemory();
    await follow(memory, scope);
    return memory;
  }

  it('whoever follows it from any moment on knows what a full account says', { timeout: 300_000 }, async () => {
    const scopes = [EVERYTHING, scopeOf(new Set(['front', 'hub', 'bare']))];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(action, { maxLength: 8 }), { minLength: 1, maxLength: 4 }), async (rounds) => {
        const followers = scopes.map((scope) => ({
          scope,
          memory: createFactsMemory(),
          cursor: undefined as string | undefined,
        }));
        const kept: { scope: Scope; cursor: string; memory: FactsMemory }[] = [];
        for (const round of rounds) {
          for (const step of round) await act(step);
          for (const one of followers) {
            one.cursor = await follow(one.memory, one.scope, one.cursor);
            // Somebody who stops here and goes on in the end.
            const late = createFactsMemory();
            const cursor = await follow(late, one.scope);
            kept.push({ scope: one.scope, cursor, memory: late });
          }
        }
        for (const { scope, memory, cursor } of [...followers, ...kept]) {
          await follow(memory, scope, cursor);
          expect(contentOf(memory)).toEqual(contentOf(await fullAccount(scope)));
        }
      }),
      { numRuns: engine === 'sqlite' ? 40 : 12 },
    );
  });

  it('tells nothing of projects outside the scope, and of single repositories where they are asked for', async () => {
    for (const name of ['front/a', 'back/a'] as const) {
      await act({ do: 'store', repository: name, digest: DIGESTS[0]! });
      await act({ do: 'tag', repository: name, tag: '1', digest: DIGESTS[0]! });
    }
    const scope = scopeOf(new Set(['front']));
    const memory = createFactsMemory();
    let cursor = await follow(memory, scope);
    expect(contentOf(memory).repositories.map(({ name }) => name)).toEqual(['front/a']);
    expect(memory.about(parseReference(`${HOST}/back/a:1`))).toEqual({ kind: 'not-covered' });

    const more = scopeOf(new Set(['front']), new Set(['back/a']));
    const ask = { tags: [{ repository: 'back/a', item: '1' }], images: [{ repository: 'back/a', item: DIGESTS[0]! }] };
    const page = await feed.read({ scope: more, cursor, waitMs: 60_000, ask });
    memory.apply(page);
    cursor = page.cursor;
    expect(memory.about(parseReference(`${HOST}/back/a:1`))).toMatchObject({ kind: 'unjudged', digest: DIGESTS[0] });
    await act({ do: 'judge', repository: 'back/a', digest: DIGESTS[0]!, kind: 'block', why: 'one' });
    await follow(memory, more, cursor);
    expect(memory.about(parseReference(`${HOST}/back/a:1`))).toMatchObject({
      verdict: { kind: 'block', sentence: 'one', since: 7 },
    });
  });

  it('tells what policies say of references, to whom the project concerns, and when that changes', async () => {
    const latest = { disallowedTags: { globs: ['latest'], action: 'block' } } as const;
    const policy = (owner: '' | 'front' | 'back', document: object, from: number | null = null) =>
      act({ do: 'policy', owner, document, from });
    const scope = scopeOf(new Set(['front']));
    const beside = scopeOf(new Set(['front']), new Set(['back/a']));
    const memory = createFactsMemory();
    const known = (project: string) => memory.referencePolicies(project);
    let cursor = await follow(memory, scope);
    expect(known('front')).toBeUndefined();

    await policy('', latest);
    cursor = await follow(memory, scope, cursor);
    expect(known('front')).toMatchObject({ policy: latest, since: NOW - 10 });
    expect(known('back')).toBeUndefined();
    // The project says otherwise, and from a moment on otherwise again.
    await policy('front', { disallowedTags: { action: 'ignore' } });
    cursor = await follow(memory, scope, cursor);
    expect(known('front')).toBeUndefined();
    await policy('front', latest, NOW + 5);
    cursor = await follow(memory, scope, cursor);
    expect(known('front')).toMatchObject({
      policy: { disallowedTags: { action: 'ignore' } },
      coming: [{ from: NOW + 5, policy: latest }],
    });

    // Of a project that only runs here it is told with the image asked about, and from then on.
    const ask = { tags: [{ repository: 'back/a', item: '1' }], images: [] };
    const asked = await feed.read({ scope: beside, cursor, waitMs: 0, ask });
    memory.apply(asked);
    expect(known('back')).toMatchObject({ policy: latest });
    await policy('back', { disallowedTags: { action: 'warn' } });
    cursor = await follow(memory, beside, asked.cursor);
    expect(known('back')).toMatchObject({ policy: { disallowedTags: { action: 'warn' } } });
    await policy('', {});
    await follow(memory, beside, cursor);
    expect(known('back')).toBeUndefined();
  });

  it('tells which images nothing runs, so that their tags do not matter', async () => {
    await act({ do: 'tag', repository: 'front/a', tag: '1', digest: DIGESTS[0]! });
    await act({ do: 'store', repository: 'front/a', digest: DIGESTS[0]! });
    await handle.db.updateTable('manifests').set({ kind: 'artifact' }).execute();
    const memory = await fullAccount(EVERYTHING);
    expect(memory.about(parseReference(`${HOST}/front/a:1`))).toMatchObject({ isArtifact: true });
  });

  it('answers who waits as soon as there is news, and passes over what is not for them', async () => {
    const scope = scopeOf(new Set(['front']));
    const cursor = await follow(createFactsMemory(), scope);
    const waiting = feed.read({ scope, cursor, waitMs: 60_000 });
    await act({ do: 'tag', repository: 'back/a', tag: '1', digest: DIGESTS[0]! });
    await new Promise((resolve) => setTimeout(resolve, 600));
    const changedAt = performance.now();
    await act({ do: 'tag', repository: 'front/a', tag: '1', digest: DIGESTS[0]! });
    const page = await waiting;
    process.stdout.write(`${engine}: a change was told after ${Math.round(performance.now() - changedAt)} ms\n`);
    expect(page.repositories).toEqual([{ name: 'front/a', tags: [['1', DIGESTS[0]]], images: [] }]);
    const nothing = await feed.read({ scope, cursor: page.cursor, waitMs: 50 });
    expect(nothing).toMatchObject({ complete: true, repositories: [], trusted: [], upstreams: [] });
    const closing = feed.read({ scope, cursor: nothing.cursor, waitMs: 60_000 });
    await new Promise((resolve) => setTimeout(resolve, 50));
    feed.close();
    expect((await closing).repositories).toEqual([]);
  });

  it.each([
    ['nothing', () => undefined],
    ['nonsense', () => 'nonsense'],
    ['a cursor of another scope', (cursor: string) => cursor],
    ['a row that has another mark', (cursor: string) => changed(cursor, (parts) => (parts[2] = Number(parts[2]) + 1))],
    ['a row that is not there', (cursor: string) => changed(cursor, (parts) => (parts[1] = Number(parts[1]) + 1000))],
    ['an account of before there were policies in it', (cursor: string) => changed(cursor, (parts) => parts.shift())],
    ['a phase there is none of', (cursor: string) => changed(cursor, (parts) => parts.push('secrets', '', ''))],
  ])('begins a full account for %s', async (what, cursorOf) => {
    await act({ do: 'tag', repository: 'front/a', tag: '1', digest: DIGESTS[0]! });
    const scope = scopeOf(new Set(['front']));
    const cursor = await follow(createFactsMemory(), what === 'a cursor of another scope' ? EVERYTHING : scope);
    const page = await feed.read({ scope, cursor: cursorOf(cursor), waitMs: 60_000 });
    expect(page).toMatchObject({ reset: true, covers: ['front'], complete: false });
  });

  it('begins a full account for who was away for longer than changes are kept', async () => {
    const cursor = await follow(createFactsMemory(), EVERYTHING);
    for (let at = 0; at < 12; at += 1)
      await act({ do: 'tag', repository: 'front/a', tag: '1', digest: DIGESTS[at % 2]! });
    const newest = await handle.db
      .selectFrom('guard_changes')
      .select('id')
      .orderBy('id', 'desc')
      .executeTakeFirstOrThrow();
    const late = await follow(createFactsMemory(), EVERYTHING);
    expect(await pruneChanges(handle.db, newest.id, 5)).toBeGreaterThan(0);
    expect(await feed.read({ scope: EVERYTHING, cursor, waitMs: 0 })).toMatchObject({ reset: true });
    expect((await feed.read({ scope: EVERYTHING, cursor: late, waitMs: 0 })).reset).toBeUndefined();
  });

  it('tells a full account in pages of bounded size', { timeout: 300_000 }, async () => {
    const id = await idOf('front/big');
    const rows = Array.from({ length: 9000 }, (_, at) => ({
      repository_id: id,
      name: `t${at}`,
      digest: `sha256:${at.toString(16).padStart(64, '0')}`,
      updated_at: 0,
    }));
    for (let at = 0; at < rows.length; at += 1000)
      await handle.db
        .insertInto('tags')
        .values(rows.slice(at, at + 1000))
        .execute();
    const pages: FactsPage[] = [];
    const memory = createFactsMemory();
    await follow(memory, EVERYTHING, undefined, pages);
    expect(contentOf(memory).repositories[0]?.tags).toHaveLength(9000);
    expect(pages.length).toBeGreaterThan(3);
    for (const page of pages) expect(JSON.stringify(page).length).toBeLessThan(1_200_000);
  });
});

describe('changes of transactions that overlap', () => {
  it('are told although a later number was seen first', async () => {
    const handle = await freshDatabase('postgres');
    const feed = createFeed({
      database: handle,
      clock: fixedClock(NOW),
      logger: silentLogger,
      hosts: [HOST],
      placeOf: () => ({ registry: 'x', prefix: '' }),
    });
    try {
      const { db } = handle;
      await db
        .insertInto('projects')
        .values({ id: 'p', name: 'front', public: 0, created_by: 'a', created_at: 0 })
        .execute();
      await db
        .insertInto('repositories')
        .values({ id: 'r', project_id: 'p', name: 'front/a', created_at: 0 })
        .execute();
      const memory = createFactsMemory();
      let cursor: string | undefined;
      const catchUp = async (): Promise<void> => {
        for (let complete = false; !complete; ) {
          const page = await feed.read({ scope: EVERYTHING, cursor, waitMs: 0 });
          memory.apply(page);
          ({ cursor, complete } = page);
        }
      };
      await catchUp();
      const tagRow = (name: string) => ({ repository_id: 'r', name, digest: DIGESTS[0]!, updated_at: 0 });
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      const { promise: first, resolve: written } = Promise.withResolvers<void>();
      const slow = db.transaction().execute(async (tx) => {
        await tx.insertInto('tags').values(tagRow('slow')).execute();
        written();
        await held;
      });
      await first;
      await db.insertInto('tags').values(tagRow('fast')).execute();
      const reading = catchUp();
      await new Promise((resolve) => setTimeout(resolve, 100));
      release();
      await slow;
      await reading;
      await catchUp();
      expect(
        memory
          .repositoriesIn(slotIn(memory, 'front/a'))[0]
          ?.tags.map(([name]) => name)
          .sort(),
      ).toEqual(['fast', 'slow']);
    } finally {
      feed.close();
      await handle.close();
    }
  });
});

function slotIn(memory: FactsMemory, name: string): number {
  return Array.from({ length: SLOTS }, (_, slot) => slot).find((slot) =>
    memory.repositoriesIn(slot).some((one) => one.name === name),
  )!;
}

function changed(cursor: string, change: (parts: unknown[]) => unknown): string {
  const parts = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
  change(parts);
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function contentOf(memory: FactsMemory) {
  return {
    trusted: memory.trusted(),
    quarantined: sorted(memory.head().quarantined ?? []),
    references: (memory.head().references ?? [])
      .flatMap(({ projects, policies }) => projects.map((project) => [project, policies] as const))
      .sort(([a], [b]) => (a < b ? -1 : 1)),
    upstreams: [...memory.head().upstreams].sort((a, b) => (a.project < b.project ? -1 : 1)),
    repositories: Array.from({ length: SLOTS }, (_, slot) => memory.repositoriesIn(slot))
      .flat()
      .map(({ name, tags, images }) => ({ name, tags: sorted(tags), images: sorted(images) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function sorted<Line extends readonly unknown[]>(lines: readonly Line[]): Line[] {
  return [...lines].sort((a, b) => (String(a[0]) < String(b[0]) ? -1 : 1));
}
