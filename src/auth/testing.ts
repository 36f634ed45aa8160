import { randomBytes } from 'node:crypto';
import fastify from 'fastify';
import { request } from 'undici';
import { freshDatabase } from '../../test/support/engines.ts';
import type { Engine } from '../db/engine.ts';
import { createLedger } from '../ledger/ledger.ts';
import { fixedClock } from '../platform/clock.ts';
import { silentLogger } from '../platform/logger.ts';
import type { RegistryDeps } from '../registry/deps.ts';
import { createAccountParts } from './account-parts.ts';
import { createCallers } from './caller.ts';
import type { Role } from './permissions.ts';
import { SYSTEM } from './principal.ts';
import { openRegistryTokens } from './registry-token.ts';
import { createSecretBox } from './secret-box.ts';
import { STANDING_TABLES } from './standings.ts';
import { tokenService } from './token-service.ts';

export const PASSWORD = 'correct horse';

export interface TokenReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: {
    readonly token?: string;
    readonly access_token?: string;
    readonly refresh_token?: string;
    readonly expires_in?: number;
    readonly issued_at?: string;
    readonly scope?: string;
    readonly errors?: readonly { readonly code: string; readonly message: string }[];
  };
}

/**
 * A token service on a free port with the users `admin`, `dev` (developer in `front`), `guest` (guest in `front`) and `eva`
 * (nothing), all with the same password, and the projects `front` (private) and `open` (public).
 */
export async function startTokenService(engine: Engine) {
  const handle = await freshDatabase(engine);
  const { db } = handle;
  const clock = fixedClock(1_790_000_000_000);
  const ledger = createLedger({ db, clock });
  const box = createSecretBox(randomBytes(32));
  const parts = createAccountParts({
    db,
    state: handle.stateOf(...STANDING_TABLES),
    clock,
    ledger,
    logger: silentLogger,
    box,
  });
  const { access, accounts, standings, users } = parts;
  const tokens = await openRegistryTokens({ db, box, clock, service: 'breakwater' });
  for (const [name, open] of [
    ['front', 0],
    ['open', 1],
  ] as const)
    await db
      .insertInto('projects')
      .values({ id: `id-${name}`, name, public: open, created_by: 'x', created_at: 0 })
      .execute();
  const roles: Readonly<Record<string, Role | undefined>> = {
    admin: undefined,
    dev: 'developer',
    guest: 'guest',
    eva: undefined,
  };
  for (const [name, role] of Object.entries(roles)) {
    const user = await users.create(SYSTEM, { name, password: PASSWORD, admin: name === 'admin' });
    if (role)
      await db
        .insertInto('members')
        .values({ project_id: 'id-front', user_id: user.id, role, created_at: 0 })
        .execute();
  }
  const app = fastify();
  await app.register(tokenService, { accounts, tokens, access, ledger, clock });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });

  async function send(
    path: string,
    options: { method: 'GET' | 'POST'; body?: string; headers?: Record<string, string> },
  ) {
    const { body, method, headers = {} } = options;
    const reply = await request(`${origin}${path}`, { method, headers, ...(body === undefined ? {} : { body }) });
    return { status: reply.statusCode, headers: reply.headers, body: (await reply.body.json()) as TokenReply['body'] };
  }

  return {
    handle,
    db,
    clock,
    ledger,
    ...parts,
    box,
    tokens,
    callerOf: createCallers({ accounts, tokens, standings }) satisfies RegistryDeps['authenticate'],
    /** GET with a raw query; as somebody with the usual or the given password, or as nobody. */
    get(query: string, as?: string, password = PASSWORD): Promise<TokenReply> {
      return send(`/service/token?service=breakwater&${query}`, {
        method: 'GET',
        headers: as === undefined ? {} : basic(as, password),
      });
    },
    post(form: Record<string, string>): Promise<TokenReply> {
      return send('/service/token', {
        method: 'POST',
        body: new URLSearchParams({ service: 'breakwater', client_id: 'test', ...form }).toString(),
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      });
    },
    /** The access of the token in a reply. */
    async accessOf(reply: TokenReply) {
      return (await tokens.verify(reply.body.token ?? '')).access;
    },
    async close() {
      await app.close();
      await handle.close();
    },
  };
}

export function basic(name: string, password: string): { authorization: string } {
  return { authorization: `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}` };
}
