import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import type { AdvisoryStore } from '../scanner/advisories/types.ts';
import type { ExceptionSource, PolicySource, VexSource } from './ports.ts';

/** What verdicts are computed from: what is stored, or what somebody puts in its place to see what would be. */
export interface Sources {
  readonly db: Db;
  readonly clock: Clock;
  readonly advisories: Pick<AdvisoryStore, 'current'>;
  readonly policies: PolicySource;
  readonly exceptions: ExceptionSource;
  readonly vex: VexSource;
}
