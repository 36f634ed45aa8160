import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fastify from 'fastify';
import { Agent, type Dispatcher, request } from 'undici';
import { freshDatabase } from '../../test/support/engines.ts';
import { createAdvisor } from '../advice/advisor.ts';
import { createGuardAccess } from '../app/guard-access.ts';
import { createAccountParts } from '../auth/account-parts.ts';
import { createPrincipals } from '../auth/caller.ts';
import type { Role } from '../auth/permissions.ts';
import { SYSTEM } from '../auth/principal.ts';
import { createSecretBox } from '../auth/secret-box.ts';
import { createMemoryBlobStore } from '../blobs/drivers/memory.ts';
import { createAdmissionFindingStore } from '../cluster/admission-findings.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import type { Engine } from '../db/engine.ts';
import { createExceptionStore } from '../exceptions/exception-store.ts';
import { exceptionDeps } from '../exceptions/testing.ts';
import { createFeed } from '../facts/feed.ts';
import { createGarbageCollector } from '../gc/garbage-collector.ts';
import { createLedger } from '../ledger/ledger.ts';
import { placeOfUpstream } from '../mirror/mirrored-address.ts';
import { createNotifications } from '../notify/notifications.ts';
import { createGuardedClient } from '../platform/guarded-request.ts';
import { silentLogger } from '../platform/logger.ts';
import { createMemberStore } from '../projects/member-store.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { createProjectStore } from '../projects/project-store.ts';
import { createQuarantineAnswers } from '../quarantine/answers.ts';
import { createQuarantineStore } from '../quarantine/quarantine-store.ts';
import { createRetention } from '../retention/retention.ts';
import { createAdvisoryStore } from '../scanner/advisories/index.ts';
import { simulate } from '../simulate/simulate.ts';
import { createSourceStore } from '../trust/source-store.ts';
import { createWorld } from '../verdicts/world.testing.ts';
import { createVex } from '../vex/vex.ts';
import { type ApiDeps, apiRoutes } from './index.ts';

export const PASSWORD = 'correct horse';

/** People of the tests: `lead`, `dev` and `guest` are members of `front`, `eva` of nothing. */
export const ROLES: Readonly<Record<string, Role | undefined>> = {
  admin: undefined,
  root: undefined,
  lead: 'admin',
  dev: 'developer',
  guest: 'guest',
  eva: undefined,
};
const ADMINISTRATORS = new Set(['admin', 'root']);

export interface ApiReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; tests look into it without ceremony. */
  readonly json: Record<string, unknown> & {
    readonly items?: readonly Record<string, unknown>[];
    readonly next?: string;
  };
}

interface Call {
  /** Whose credentials; nobody's when absent. */
  readonly as?: string;
  readonly password?: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * The management API on a free port over real stores, with the projects `front` and `back` (both private) and images of JSON
 * layers as in the tests of verdicts. `routes` is every route that was registered.
 */
export async function startApi(engine: Engine, changes: Partial<ApiDeps> = {}) {
  const handle = await freshDatabase(engine);
  const { db } = handle;
  const folder = await mkdtemp(join(tmpdir(), 'breakwater-api-'));
  const held: { clock?: { now(): number } } = {};
  const clock = { now: () => held.clock?.now() ?? 0 };
  const base = { db, clock, ledger: createLedger({ db, clock }), fourEyes: true };
  const policies = createPolicyStore(base);
  const exceptions = createExceptionStore({ ...base, ...exceptionDeps(handle) });
  const vex = createVex({
    ...base,
    logger: silentLogger,
    blobs: { open: (digest) => world.blobs.open(digest) },
    state: handle.state,
    exceptions,
    hosts: ['registry.example.com'],
  });
  const world = await createWorld(handle, { policies, exceptions, vex: vex.source, ledger: base.ledger });
  vex.follow({
    mark: (tx, change) => world.verdicts.markForVex(tx, change),
    renew: (change) => world.verdicts.onVexChanged(change),
  });
  held.clock = world.clock;

  const box = createSecretBox(Buffer.alloc(32, 7));
  const parts = createAccountParts({ ...base, state: handle.state, logger: silentLogger, box });
  const { users } = parts;
  for (const [name, role] of Object.entries(ROLES)) {
    const { id } = await users.create(SYSTEM, { name, password: PASSWORD, admin: ADMINISTRATORS.has(name) });
    if (role)
      await db.insertInto('members').values({ project_id: 'front', user_id: id, role, created_at: 0 }).execute();
  }
  const feed = createFeed({
    database: handle,
    clock,
    logger: silentLogger,
    hosts: ['registry.example.com'],
    placeOf: placeOfUpstream,
  });
  const advisories = createAdvisoryStore({ dir: join(folder, 'advisories'), clock });
  const client = createGuardedClient({ userAgent: 'breakwater-test', allowPrivate: false });
  const deps: ApiDeps = {
    ...base,
    logger: silentLogger,
    version: '0.0.0-test',
    spoolDir: join(folder, 'spool'),
    principalOf: createPrincipals(parts),
    ...parts,
    projects: createProjectStore({ ...base, box }),
    members: createMemberStore(base),
    policies,
    exceptions,
    trust: createSourceStore(base),
    quarantines: createQuarantineStore(base),
    origins: { hosts: ['registry.example.com'], placeOf: placeOfUpstream },
    cluster: createClusterAuditStore(base),
    admissionFindings: createAdmissionFindingStore(base),
    advisories,
    verdicts: world.verdicts,
    vex,
    host: 'registry.example.com',
    // In this thread: a database in memory cannot be opened from another one.
    simulator: {
      run: (question) =>
        simulate(
          {
            ...deps,
            vex: deps.vex.source,
            quarantines: createQuarantineAnswers({ db, state: handle.state }),
            hosts: ['registry.example.com'],
          },
          question,
        ),
    },
    advisor: createAdvisor({
      db,
      advisories: { current: () => world.state.advisories },
      verdicts: world.verdicts,
      exceptions,
    }),
    notifications: createNotifications({
      ...base,
      box,
      clients: { open: client, closed: client },
      tickets: { inRepository: async () => [] },
      source: 'https://registry.example.com',
      host: 'registry.example.com',
    }),
    garbage: createGarbageCollector({
      ...base,
      blobs: createMemoryBlobStore({ clock }),
      logger: silentLogger,
      skipLocked: engine === 'postgres',
      delayMs: 3_600_000,
      scrubEveryMs: 0,
    }),
    retention: createRetention({ ...base, logger: silentLogger }),
    feed,
    guard: createGuardAccess({
      caBundle: '-----BEGIN CERTIFICATE-----\n',
      webhookUrl: 'https://10.0.0.5:8443',
      constraintName: 'require-harbor-repo',
      followsCluster: false,
    }),
    exportEvidence: async (period) => JSON.stringify(period),
    ...changes,
  };
  const app = fastify({ forceCloseConnections: true });
  const routes: { readonly method: string; readonly url: string }[] = [];
  app.addHook('onRoute', ({ method, url }) => {
    for (const one of [method].flat()) routes.push({ method: one, url });
  });
  await app.register(apiRoutes, deps);
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  const agent = new Agent({ connections: 8 });

  return {
    world,
    deps,
    db,
    routes,
    folder,
    /** Calls `/api/v1` + path. A body that is no text, bytes or stream goes out as JSON. */
    async call(method: Dispatcher.HttpMethod, path: string, options: Call = {}): Promise<ApiReply> {
      const { as, password = PASSWORD, body } = options;
      const raw = typeof body === 'string' || Buffer.isBuffer(body);
      const reply = await request(`${origin}/api/v1${path}`, {
        dispatcher: agent,
        method,
        headers: {
          ...(as === undefined
            ? {}
            : { authorization: `Basic ${Buffer.from(`${as}:${password}`).toString('base64')}` }),
          ...(body === undefined || raw ? {} : { 'content-type': 'application/json' }),
          ...options.headers,
        },
        ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
      });
      const text = await reply.body.text();
      const isJson = String(reply.headers['content-type']).includes('json');
      return {
        status: reply.statusCode,
        headers: reply.headers,
        text,
        json: isJson ? (JSON.parse(text) as ApiReply['json']) : {},
      };
    },
    async close() {
      await agent.close();
      feed.close();
      await app.close();
      await world.verdicts.close();
      await client.close();
      advisories.close();
      await handle.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export type TestApi = Awaited<ReturnType<typeof startApi>>;
