import { timingSafeEqual } from 'node:crypto';
import type { Db } from '../db/database.ts';
import type { Clock } from '../platform/clock.ts';
import { AuthError } from './errors.ts';
import type { LoginFailures } from './login-failures.ts';
import type { LoginThrottle } from './login-throttle.ts';
import type { Authenticated } from './principal.ts';
import { isCounting, labelOf, type RobotRecord, stateOf } from './robot.ts';
import { findRobot } from './robot-records.ts';
import { formOfRobotSecret, hashRobotSecret } from './robot-secret.ts';
import type { RobotUse } from './robot-use.ts';
import type { SecretBox } from './secret-box.ts';

export interface RobotLoginDeps {
  readonly db: Db;
  readonly clock: Clock;
  readonly box: Pick<SecretBox, 'mac'>;
  readonly throttle: LoginThrottle;
  readonly failures: LoginFailures;
  readonly use: Pick<RobotUse, 'note'>;
}

/** Checks secrets of robots. */
export type RobotLogins = ReturnType<typeof createRobotLogins>;

export function createRobotLogins(deps: RobotLoginDeps) {
  const { db, clock, throttle } = deps;

  return {
    /**
     * Which robot this is, or undefined when there is none, the secret is wrong, or it may not log in. A right secret is never slowed
     * down by wrong ones. Throws `AuthError`: `throttled`, or `secret_mistyped` for what can be a secret of no robot at all.
     */
    async authenticate(name: string, secret: string, address = ''): Promise<Authenticated | undefined> {
      const record = await findRobot(db, name);
      const found = record && secretOf(record, hashRobotSecret(deps.box, secret), clock.now());
      if (record && found && stateOf(record, clock.now()) === 'active') {
        deps.use.note(record.row.id, clock.now());
        throttle.succeeded(name, address);
        return authenticated(record, found.id);
      }
      const wait = throttle.begin(name, address);
      if (wait > 0)
        throw new AuthError('throttled', `too many wrong secrets; try again in ${wait} s`, { retryAfterSeconds: wait });
      await deps.failures.note({
        ...(record ? { target: `robot/${labelOf(record.row.name)}` } : {}),
        address,
        count: throttle.failures(name, address),
      });
      if (formOfRobotSecret(secret) === 'mistyped')
        throw new AuthError(
          'secret_mistyped',
          'this secret of a robot was cut off or mistyped: its check sum is wrong; copy the whole of it, bwr_ and 42 characters',
        );
      return undefined;
    },

    /** The robot as it is now, for a token that was given for the secret with this mark. */
    async holderOf(name: string, mark: string): Promise<Authenticated | undefined> {
      const record = await findRobot(db, name);
      return record && isHolder(record, mark, clock.now()) ? authenticated(record, mark) : undefined;
    },
  };
}

/** True while the robot may act and its secret with this mark counts. */
export function isHolder(record: RobotRecord, mark: string, now: number): boolean {
  return stateOf(record, now) === 'active' && record.secrets.some((one) => one.id === mark && isCounting(one, now));
}

export function robotPrincipal({ row, owner, grants }: RobotRecord) {
  return { kind: 'robot', id: row.id, name: row.name, owner, grants } as const;
}

function authenticated(record: RobotRecord, mark: string): Authenticated {
  return { principal: robotPrincipal(record), mark };
}

function secretOf({ secrets }: RobotRecord, hash: string, now: number) {
  const wanted = Buffer.from(hash);
  return secrets.find((one) => {
    const kept = Buffer.from(one.hash);
    return kept.length === wanted.length && timingSafeEqual(kept, wanted) && isCounting(one, now);
  });
}
