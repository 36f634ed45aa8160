import type { GuardedReply, GuardedRequest } from '../platform/guarded-request.ts';

/** What is sent. */
export interface Content {
  readonly type: string;
  readonly body: string;
}

/** A signed call of a receiver. `uid` is the same however often it is repeated. */
export type SignedCall = (
  call: Content & Pick<GuardedRequest, 'url' | 'method'> & { readonly uid: string },
) => Promise<GuardedReply>;
