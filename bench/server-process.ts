import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** How the server and the guard are started. */
export const SERVER_PROCESS = JSON.parse(
  readFileSync(join(import.meta.dirname, '../bin/server-process.json'), 'utf8'),
) as { readonly options: string[]; readonly environment: NodeJS.ProcessEnv };
