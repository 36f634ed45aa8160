/** Somebody who may act: a person's account, or nobody in particular. */
export type Principal =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'user'; readonly id: string; readonly name: string; readonly admin: boolean };

export const ANONYMOUS: Principal = { kind: 'anonymous' };

/** The program itself, for what happens without anybody asking. No account can have this name. */
export const SYSTEM: Principal = { kind: 'user', id: 'system', name: 'system', admin: true };

/** Name written into the ledger and shown to people. */
export function nameOf(principal: Principal): string {
  return principal.kind === 'user' ? principal.name : 'anonymous';
}
