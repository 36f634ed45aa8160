import type { Actor } from '../ledger/chain.ts';

/** Key of grants that hold in every project and for the installation itself. */
export const EVERYWHERE = '*';

/** A person's account, as far as others need to know it. */
export interface Person {
  readonly id: string;
  readonly name: string;
  readonly admin: boolean;
}

/** Somebody who may act: a person's account, a machine's, or nobody in particular. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | ({ readonly kind: 'user' } & Person)
  | {
      readonly kind: 'robot';
      readonly id: string;
      readonly name: string;
      /** The person who answers for it. */
      readonly owner: Person;
      /** Permissions by the id of the project or `EVERYWHERE`. */
      readonly grants: ReadonlyMap<string, ReadonlySet<string>>;
    };

export const ANONYMOUS: Principal = { kind: 'anonymous' };

/** The program itself, for what happens without anybody asking. No account can have this name. */
export const SYSTEM: Principal = { kind: 'user', id: 'system', name: 'system', admin: true };

/** Name of the account, shown to people. */
export function nameOf(principal: Principal): string {
  return principal.kind === 'anonymous' ? 'anonymous' : principal.name;
}

/** The person who acts: whatever takes two persons counts a robot as its owner. */
export function personOf(principal: Principal): string {
  return principal.kind === 'robot' ? principal.owner.name : nameOf(principal);
}

/** Who stands in a line of the ledger. */
export function actorOf(principal: Principal): Actor {
  return principal.kind === 'robot' ? { name: principal.name, person: principal.owner.name } : nameOf(principal);
}

/** Somebody who proved to be it, with a mark of what proved it: when the password or secret changes, the mark does not count any more. */
export interface Authenticated {
  readonly principal: Exclude<Principal, { readonly kind: 'anonymous' }>;
  readonly mark: string;
}
