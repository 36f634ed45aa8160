import { z } from 'zod';
import type { Permission } from '../../auth/permissions.ts';

/** One call of the management API: what it takes and gives, and who may make it. Server, client and OpenAPI read this. */
export interface Endpoint<
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  Reply extends z.ZodType,
> {
  /** Unique; the operationId of OpenAPI. */
  readonly id: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below `/api/v1`, with `{parameters}`. `{project}` is the project the permission is asked for. */
  readonly path: string;
  readonly summary: string;
  readonly permission: Permission;
  /** What whoever may not do this for the installation is told to do instead. */
  readonly insteadOfEverywhere?: string;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly reply: Reply;
  readonly status: number;
  /** Body and reply are JSON unless this says otherwise. */
  readonly sends?: 'stream';
  readonly gives?: 'text' | 'download';
}

export type AnyEndpoint = Endpoint<z.ZodType, z.ZodType, z.ZodType, z.ZodType>;
export type ParamsOf<E extends AnyEndpoint> = z.output<E['params']>;
export type QueryOf<E extends AnyEndpoint> = z.output<E['query']>;
export type BodyOf<E extends AnyEndpoint> = z.output<E['body']>;
export type ReplyOf<E extends AnyEndpoint> = z.output<E['reply']>;

export const nothing = z.object({}).strict();
/** Replies without content. */
export const empty = z.void();

interface Options<Params extends z.ZodType, Query extends z.ZodType, Body extends z.ZodType, Reply extends z.ZodType> {
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  readonly reply?: Reply;
  readonly status?: number;
  readonly insteadOfEverywhere?: string;
  readonly sends?: 'stream';
  readonly gives?: 'text' | 'download';
}

/** Writes an endpoint down; what is not given is nothing. `route` is `METHOD /path`. */
export function endpoint<
  Params extends z.ZodType = typeof nothing,
  Query extends z.ZodType = typeof nothing,
  Body extends z.ZodType = typeof nothing,
  Reply extends z.ZodType = typeof empty,
>(
  id: string,
  route: `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /${string}`,
  permission: Permission,
  summary: string,
  options: Options<Params, Query, Body, Reply> = {},
): Endpoint<Params, Query, Body, Reply> {
  const [method, path] = route.split(' ') as [Endpoint<Params, Query, Body, Reply>['method'], string];
  const { sends, gives, insteadOfEverywhere } = options;
  return {
    id,
    method,
    path,
    permission,
    summary,
    params: (options.params ?? nothing) as Params,
    query: (options.query ?? nothing) as Query,
    body: (options.body ?? nothing) as Body,
    reply: (options.reply ?? empty) as Reply,
    status: options.status ?? (options.reply ? 200 : 204),
    ...(insteadOfEverywhere === undefined ? {} : { insteadOfEverywhere }),
    ...(sends ? { sends } : {}),
    ...(gives ? { gives } : {}),
  };
}
