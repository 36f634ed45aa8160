import type { SecretBox } from '../auth/secret-box.ts';
import type { Db } from '../db/database.ts';
import type { UpstreamAccess } from './project.ts';
import { secretContext } from './project-store.ts';

/** Tells the mirror which projects are mirrors, and of what: one indexed read per question. */
export function createUpstreamSource(deps: { readonly db: Db; readonly box: SecretBox }) {
  return {
    /** The upstream of a project by name; undefined for an ordinary project. Throws `AuthError('secret_unreadable')`. */
    async upstreamOf(project: string): Promise<UpstreamAccess | undefined> {
      const row = await deps.db
        .selectFrom('upstreams as u')
        .innerJoin('projects as p', 'p.id', 'u.project_id')
        .select(['p.id', 'u.url', 'u.username', 'u.secret', 'u.freshness_seconds'])
        .where('p.name', '=', project)
        .executeTakeFirst();
      if (!row) return undefined;
      const settings = { url: row.url, freshnessSeconds: row.freshness_seconds };
      if (row.username === null || row.secret === null) return settings;
      const password = deps.box.open(row.secret, secretContext(row.id));
      return { ...settings, credentials: { username: row.username, password } };
    },
  };
}
