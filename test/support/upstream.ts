import type { DatabaseHandle } from '../../src/db/database.ts';

/** Makes a project a mirror of Docker Hub, without asking it for anything. */
export async function mirrorsDockerHub({ db }: DatabaseHandle, project: string): Promise<void> {
  await db
    .insertInto('upstreams')
    .values({
      project_id: project,
      url: 'https://registry-1.docker.io',
      username: null,
      secret: null,
      freshness_seconds: 1,
    })
    .execute();
}
