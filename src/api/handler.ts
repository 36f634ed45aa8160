import type { IncomingMessage } from 'node:http';
import type { Principal } from '../auth/principal.ts';
import type { AnyEndpoint, BodyOf, ParamsOf, QueryOf, ReplyOf } from './contract/endpoint.ts';

/** One request after it was checked: who, what, with the permission granted. */
export interface Call<E extends AnyEndpoint> {
  readonly by: Principal;
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  /** The project of the path, when there is one. */
  readonly project: { readonly id: string; readonly name: string };
  /** Aborts when the caller goes away. */
  readonly signal: AbortSignal;
  /** The body as it comes, for endpoints that take a stream. */
  readonly stream: IncomingMessage;
}

export interface BoundEndpoint {
  readonly endpoint: AnyEndpoint;
  readonly handle: (call: Call<AnyEndpoint>) => Promise<unknown>;
}

/** Ties an endpoint to what it does; both sides are checked against the contract by the compiler. */
export function on<E extends AnyEndpoint>(endpoint: E, handle: (call: Call<E>) => Promise<ReplyOf<E>>): BoundEndpoint {
  return { endpoint, handle };
}

/** RFC 3339 as the API shows it. */
export function time(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

type Project = { readonly id: string; readonly name: string };

/** The project the permission was granted in; nothing where it was asked for the installation. */
export function homeOf({ id, name }: Project): Project | undefined {
  return id === '' ? undefined : { id, name };
}
