import type { SecretBox } from '../auth/secret-box.ts';
import type { DatabaseHandle, Db } from '../db/database.ts';
import { cacheWhileUnchanged } from '../db/unchanged.ts';
import type { UpstreamAccess } from './project.ts';
import { secretContext } from './project-store.ts';

interface UpstreamSourceDeps {
  readonly db: Db;
  readonly stateOf: DatabaseHandle['stateOf'];
  readonly box: SecretBox;
}

/** Projects of which it is remembered whether they are mirrors. */
const KEPT = 10_000;

/** Tells the mirror which projects are mirrors, and of what: asked with every request, read when something changed. */
export function createUpstreamSource(deps: UpstreamSourceDeps) {
  const known = cacheWhileUnchanged<{ readonly upstream: UpstreamAccess | undefined }>(
    deps.stateOf('upstreams', 'projects'),
    { limit: KEPT, weigh: () => 1 },
  );
  return {
    /** The upstream of a project by name; undefined for an ordinary project. Throws `AuthError('secret_unreadable')`. */
    async upstreamOf(project: string): Promise<UpstreamAccess | undefined> {
      return (await known.get(project, async () => ({ upstream: await findUpstream(deps, project) })))?.upstream;
    },
  };
}

async function findUpstream({ db, box }: UpstreamSourceDeps, project: string): Promise<UpstreamAccess | undefined> {
  const row = await db
    .selectFrom('upstreams as u')
    .innerJoin('projects as p', 'p.id', 'u.project_id')
    .select(['p.id', 'u.url', 'u.username', 'u.secret', 'u.freshness_seconds'])
    .where('p.name', '=', project)
    .executeTakeFirst();
  if (!row) return undefined;
  const settings = { url: row.url, freshnessSeconds: row.freshness_seconds };
  if (row.username === null || row.secret === null) return settings;
  const password = box.open(row.secret, secretContext(row.id));
  return { ...settings, credentials: { username: row.username, password } };
}
