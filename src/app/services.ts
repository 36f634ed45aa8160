import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { createAccountParts } from '../auth/account-parts.ts';
import { openRegistryTokens } from '../auth/registry-token.ts';
import { openSecretBox } from '../auth/secret-box.ts';
import { STANDING_TABLES } from '../auth/standings.ts';
import { watchBlobStore } from '../blobs/watched.ts';
import { createClusterAuditStore } from '../cluster/audit-store.ts';
import type { Config } from '../config.ts';
import { type DatabaseHandle, type DatabaseLocation, openDatabase } from '../db/database.ts';
import { lockFolder } from '../db/folder-lock.ts';
import { createExceptionStore } from '../exceptions/exception-store.ts';
import { createLedger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import { CodedError, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { makeFolder } from '../platform/make-folder.ts';
import { createMemberStore } from '../projects/member-store.ts';
import { createPolicyStore } from '../projects/policy-store.ts';
import { createProjectStore } from '../projects/project-store.ts';
import { createUpstreamSource } from '../projects/upstream-source.ts';
import { createQuarantineAnswers } from '../quarantine/answers.ts';
import { createQuarantineStore } from '../quarantine/quarantine-store.ts';
import { createAdvisoryStore } from '../scanner/advisories/index.ts';
import { createSourceStore } from '../trust/source-store.ts';
import { openBlobStorage } from './blob-storage.ts';
import { exceptionLimits } from './exception-limits.ts';

class ServicesError extends CodedError<'data_folder_unusable'> {}

/** Name of this registry in challenges and tokens. */
export const SERVICE = 'breakwater';

/** What every part stands on: database, stores, blobs, advisories. */
export type Services = Awaited<ReturnType<typeof openServices>>;

/** Opens the data folder and the database and makes every store over them. */
export async function openServices(deps: { readonly config: Config; readonly clock: Clock; readonly logger: Logger }) {
  const { config, clock, logger } = deps;
  await openFolder(config.dataDir);
  const lock = lockFolder(config.dataDir);
  // Before the database: a start that fails here must leave nothing open.
  const blobs = watchBlobStore(await openBlobStorage(config, clock));
  const handle: DatabaseHandle = await openDatabase(databaseLocation(config));
  const { db } = handle;
  const box = await openSecretBox({ dataDir: config.dataDir, key: config.secretKey });
  const ledger = createLedger({ db, clock });
  const base = { db, clock, ledger, fourEyes: config.fourEyes };
  const policies = createPolicyStore(base);
  const advisories = createAdvisoryStore({ dir: join(config.dataDir, 'advisories'), clock });
  const parts = createAccountParts({ ...base, state: handle.stateOf(...STANDING_TABLES), logger, box });
  return {
    ...base,
    config,
    logger,
    handle,
    lock,
    box,
    ...parts,
    tokens: await openRegistryTokens({ db, box, clock, service: SERVICE }),
    projects: createProjectStore({ ...base, box }),
    members: createMemberStore(base),
    upstreams: createUpstreamSource({ db, stateOf: handle.stateOf, box }),
    policies,
    exceptions: createExceptionStore({
      ...base,
      state: handle.stateOf('exceptions'),
      limits: exceptionLimits({ policies, advisories }),
      readableFor: (by) => parts.access.heldIn(by, 'verdict:read'),
    }),
    trust: createSourceStore({
      ...base,
      mostReviewDays: config.trustReviewMostDays,
      overdueDays: config.trustOverdueDays,
    }),
    quarantines: createQuarantineStore(base),
    quarantine: createQuarantineAnswers({ db, state: handle.stateOf('quarantines') }),
    cluster: createClusterAuditStore(base),
    blobs: blobs.store,
    blobProblem: blobs.problem,
    advisories,
  };
}

/** Where the database of these settings is. */
export function databaseLocation({ databaseUrl, dataDir }: Config): DatabaseLocation {
  return databaseUrl === undefined
    ? { engine: 'sqlite', path: join(dataDir, 'breakwater.db') }
    : { engine: 'postgres', url: databaseUrl };
}

/** The data folder holds password hashes and private images: it and all in it are for its owner only. */
async function openFolder(path: string): Promise<void> {
  process.umask(0o077);
  try {
    await makeFolder(path, 0o700);
    await chmod(path, 0o700);
  } catch (error) {
    throw new ServicesError('data_folder_unusable', `BREAKWATER_DATA_DIR ${path} cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
