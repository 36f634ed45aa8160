import type { AnyEndpoint } from './endpoint.ts';
import * as exceptions from './exceptions.ts';
import * as findings from './findings.ts';
import * as garbage from './garbage.ts';
import * as guardFeed from './guard-feed.ts';
import * as notifications from './notifications.ts';
import * as operations from './operations.ts';
import * as policies from './policies.ts';
import * as projects from './projects.ts';
import * as quarantines from './quarantines.ts';
import * as robots from './robots.ts';
import * as simulations from './simulations.ts';
import * as storage from './storage.ts';
import * as trust from './trust.ts';
import * as users from './users.ts';
import * as verdicts from './verdicts.ts';
import * as vex from './vex.ts';
import * as violations from './violations.ts';
import * as why from './why.ts';

/** Every call of the management API. */
export const ENDPOINTS: readonly AnyEndpoint[] = [
  projects,
  policies,
  users,
  robots,
  notifications,
  verdicts,
  exceptions,
  findings,
  trust,
  quarantines,
  operations,
  guardFeed,
  garbage,
  storage,
  simulations,
  violations,
  vex,
  why,
].flatMap((noun) =>
  Object.values(noun).filter(
    (value): value is AnyEndpoint => typeof value === 'object' && 'permission' in value && 'path' in value,
  ),
);
