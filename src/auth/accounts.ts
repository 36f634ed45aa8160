import type { Authenticated } from './principal.ts';
import type { RobotLogins } from './robot-logins.ts';
import { isUserName, type UserStore } from './user-store.ts';

/** Whoever can log in: people with their passwords, robots with their secrets. */
export interface Accounts {
  /**
   * Who this is, or undefined when name or secret is wrong or the account may not log in. `address` is where the attempt comes from.
   * Throws `AuthError`: `throttled`, `secret_mistyped`.
   */
  authenticate(name: string, secret: string, address?: string): Promise<Authenticated | undefined>;
  /** Who a token was given to, as they are now; undefined when what it was given for (`mark`) does not count any more. */
  holderOf(name: string, mark: string): Promise<Authenticated | undefined>;
}

/** Joins both. No person can have the name of a robot; what an account is and may, its row alone decides. */
export function createAccounts(deps: {
  readonly users: Pick<UserStore, 'authenticate' | 'holderOf'>;
  readonly robots: RobotLogins;
}): Accounts {
  // Names that are neither go to people too: the answer takes as long as a wrong password.
  const storeOf = (name: string) => (name.includes('$') && !isUserName(name) ? deps.robots : deps.users);
  return {
    authenticate: async (name, secret, address) => storeOf(name).authenticate(name, secret, address),
    holderOf: async (name, mark) => storeOf(name).holderOf(name, mark),
  };
}
