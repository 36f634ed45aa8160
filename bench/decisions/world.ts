import { join } from 'node:path';
import { createApart } from '../../src/apart/apart.ts';
import { exceptionLimits } from '../../src/app/exception-limits.ts';
import type { Principal } from '../../src/auth/principal.ts';
import { createClusterAuditStore } from '../../src/cluster/audit-store.ts';
import { batches } from '../../src/db/batches.ts';
import type { DatabaseLocation } from '../../src/db/database.ts';
import type { Engine } from '../../src/db/engine.ts';
import { createExceptionStore } from '../../src/exceptions/exception-store.ts';
import { createLedger } from '../../src/ledger/ledger.ts';
import { parseDigest } from '../../src/oci/digest.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { silentLogger } from '../../src/platform/logger.ts';
import { createPolicyStore } from '../../src/projects/policy-store.ts';
import { createQuarantineAnswers } from '../../src/quarantine/answers.ts';
import { openAdvisoryDatabase } from '../../src/scanner/advisories/database.ts';
import { changedKeys } from '../../src/scanner/advisories/index.ts';
import { createSourceStore } from '../../src/trust/source-store.ts';
import { createVerdicts } from '../../src/verdicts/verdicts.ts';
import { createVexSource } from '../../src/vex/source.ts';
import { NOTHING_ANALYSED } from '../nothing-analysed.ts';
import { openEngine } from '../open-engine.ts';
import { storeImages } from '../stored-images.ts';

export const HOST = 'registry.example.com';
const CLUSTER = 'bench';
/** Who changes things in benchmarks. */
export const somebody: Principal = { kind: 'user', id: 'bench', name: 'bench', admin: true };
export const somebodyElse: Principal = { kind: 'user', id: 'other', name: 'other', admin: true };

export interface Sizes {
  readonly images: number;
  readonly pods: number;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** A registry's database with images made of real package lists, judged, of which some run; without a server around it. */
export async function openWorld(engine: Engine, folder: string, advisoriesPath: string, sizes: Sizes) {
  const opened = await openEngine(engine, folder);
  const { handle } = opened;
  const { db } = handle;
  const clock = systemClock;
  const logger = silentLogger;
  let database = openAdvisoryDatabase(advisoriesPath);
  const ledger = createLedger({ db, clock });
  const base = { db, clock, ledger, fourEyes: true };
  const policies = createPolicyStore(base);
  const advisories = { current: () => database };
  const exceptions = createExceptionStore({
    ...base,
    state: handle.stateOf('exceptions'),
    limits: exceptionLimits({ policies, advisories }),
    readableFor: async () => 'all' as const,
  });
  const location: DatabaseLocation =
    opened.url === undefined
      ? { engine: 'sqlite', path: join(folder, 'breakwater.sqlite') }
      : { engine: 'postgres', url: opened.url };
  const apart = createApart({ location, handle, hosts: [HOST], advisories });
  const verdicts = createVerdicts({
    db,
    state: handle.state,
    ...NOTHING_ANALYSED,
    clock,
    logger,
    advisories,
    policies,
    exceptions,
    vex: createVexSource({ ...base, state: handle.stateOf('vex_documents', 'vex_authors'), hosts: [HOST] }),
    quarantines: createQuarantineAnswers({ db, state: handle.stateOf('quarantines') }),
    jobs: { enqueue: () => Promise.resolve() },
    ledger: { record: () => Promise.resolve() },
    hosts: [HOST],
    apart,
    budgetMs: 1000,
  });
  const stored = await db.selectFrom('manifests').select('digest').limit(1).execute();
  if (stored.length === 0) {
    await storeImages(handle, sizes.images);
    await verdicts.rejudgeAll('push');
    await run(handle, sizes.pods);
  }
  return {
    ...base,
    handle,
    location,
    logger,
    advisories,
    advisoriesPath,
    policies,
    exceptions,
    trust: createSourceStore(base),
    cluster: createClusterAuditStore(base),
    verdicts,
    /** Makes another file of advisories the current one. Gives what it changes. */
    useAdvisories(path: string) {
      const before = database;
      database = openAdvisoryDatabase(path);
      const change = { previous: before.version, next: database.version, ...changedKeys(before, database) };
      before.close();
      return change;
    },
    async close() {
      await verdicts.close();
      await apart.close();
      database.close();
      await opened.stop();
    },
  };
}

/** So many workloads of a cluster run what is stored, half of them by tag. */
async function run({ db }: Awaited<ReturnType<typeof openEngine>>['handle'], pods: number): Promise<void> {
  const rows = await db
    .selectFrom('manifests as m')
    .innerJoin('repositories as r', 'r.id', 'm.repository_id')
    .select(['r.id', 'r.name', 'm.digest'])
    .orderBy('m.digest')
    .execute();
  const tags = rows.map(({ id, digest }, at) => ({ repository_id: id, name: `v${at}`, digest, updated_at: 1 }));
  for (const batch of batches(tags)) await db.insertInto('tags').values(batch).execute();
  const running = Array.from({ length: pods }, (_, at) => {
    const image = rows[at % rows.length];
    if (!image) throw new Error('nothing is stored that could run');
    const reference = at % 2 === 0 ? `:v${at % rows.length}` : `@${image.digest}`;
    return {
      namespace: `team-${at % 40}`,
      kind: 'Deployment',
      name: `app-${at}`,
      container: 'main',
      image: `${HOST}/${image.name}${reference}`,
      digest: parseDigest(image.digest),
    };
  });
  const now = systemClock.now();
  await createClusterAuditStore({ db }).recordAudit({
    cluster: CLUSTER,
    startedAt: now,
    finishedAt: now,
    objects: pods,
    violations: [],
    running,
    incomplete: [],
  });
}

/** The project everything is stored in. */
export async function findProject({ db }: Pick<World, 'db'>): Promise<{ readonly id: string; readonly name: string }> {
  return db.selectFrom('projects').select(['id', 'name']).executeTakeFirstOrThrow();
}
