import type { Db } from '../db/database.ts';
import type { DatabaseState } from '../db/unchanged.ts';
import type { Ledger } from '../ledger/ledger.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { createAccess } from './access.ts';
import { createAccounts } from './accounts.ts';
import { createLoginFailures } from './login-failures.ts';
import { createLoginThrottle } from './login-throttle.ts';
import { createRobotLogins } from './robot-logins.ts';
import { createRobotStore } from './robot-store.ts';
import { createRobotUse } from './robot-use.ts';
import type { SecretBox } from './secret-box.ts';
import { createStandings } from './standings.ts';
import { createUserStore } from './user-store.ts';

/** Everything that knows accounts, fitted together. */
export function createAccountParts(deps: {
  readonly db: Db;
  readonly state: DatabaseState;
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly logger: Logger;
  readonly box: SecretBox;
}) {
  const access = createAccess(deps);
  const guarded = { ...deps, throttle: createLoginThrottle(deps), failures: createLoginFailures(deps) };
  const users = createUserStore(guarded);
  const robotUse = createRobotUse(deps);
  return {
    access,
    users,
    robots: createRobotStore({ ...deps, access }),
    /** To be closed at the end: it holds what is not written yet. */
    robotUse,
    accounts: createAccounts({ users, robots: createRobotLogins({ ...guarded, use: robotUse }) }),
    standings: createStandings(deps),
  };
}
