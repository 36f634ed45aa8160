import { createProject, listProjects } from '../../api/contract/projects.ts';
import type { ImportTarget } from '../../importer/ports.ts';
import { createProjectCheck, type ImportProjects } from '../../importer/projects.ts';
import { createServerTarget } from '../../importer/server-target.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { withLogin } from '../client.ts';
import type { Login } from '../credentials.ts';
import { ownClient } from '../registry-end.ts';
import type { ImportOptions } from './options.ts';

/** The server of the login as the target of an import. */
export async function serverTarget(http: HttpClient, login: Login, options: ImportOptions): Promise<ImportTarget> {
  const check = createProjectCheck(await projectsOf(login), {
    create: options.createProjects === true,
    dryRun: options.dryRun === true,
  });
  return createServerTarget(await ownClient(http, login), check);
}

async function projectsOf(login: Login): Promise<ImportProjects> {
  const { items } = await withLogin(login, (api) => api.call(listProjects));
  const kinds = new Map(items.map(({ name, upstream }) => [name, upstream ? 'mirror' : 'ordinary'] as const));
  return {
    kindOf: async (name) => kinds.get(name),
    async create(name) {
      await withLogin(login, (api) => api.call(createProject, { body: { name, public: false } }));
    },
  };
}
