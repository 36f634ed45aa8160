import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { SYSTEM } from './principal.ts';
import { openRegistryTokens } from './registry-token.ts';
import { createStandings } from './standings.ts';
import { basic, PASSWORD, startTokenService } from './testing.ts';

describe.each(ENGINES)('token service on %s', (engine) => {
  let service: Awaited<ReturnType<typeof startTokenService>>;
  beforeEach(async () => {
    service = await startTokenService(engine);
  });
  afterEach(() => service.close());

  it('gives what was asked for as far as the user has it', async () => {
    const reply = await service.get('scope=repository:front/app:pull,push,delete', 'dev');
    expect(reply.status).toBe(200);
    expect(reply.headers['cache-control']).toBe('no-store');
    expect(reply.body.token).toBe(reply.body.access_token);
    expect(reply.body).toMatchObject({ expires_in: 300, issued_at: '2026-09-21T14:13:20Z' });
    expect(reply.body.refresh_token).toBeUndefined();
    expect(await service.tokens.verify(reply.body.token!)).toEqual({
      subject: 'dev',
      mark: expect.stringMatching(/^[\w-]{22}$/),
      access: [{ type: 'repository', name: 'front/app', actions: ['pull', 'push'] }],
      expires: 1_790_000_300,
    });
  });

  it.each([
    ['nobody, public', undefined, 'scope=repository:open/a:pull,push', 'repository:open/a:pull'],
    ['nobody, private', undefined, 'scope=repository:front/a:pull', ''],
    ['nobody, unknown project', undefined, 'scope=repository:nowhere/a:pull', ''],
    ['a guest', 'guest', 'scope=repository:front/a:pull,push', 'repository:front/a:pull'],
    ['a stranger', 'eva', 'scope=repository:front/a:pull', ''],
    ['everything', 'dev', 'scope=repository:front/a:*', 'repository:front/a:pull,push'],
    ['an administrator, everything', 'admin', 'scope=repository:front/a:*', 'repository:front/a:pull,push,delete'],
    [
      'two parameters',
      'dev',
      'scope=repository:front/a:pull,push&scope=repository:open/b:pull',
      'repository:front/a:pull,push repository:open/b:pull',
    ],
    [
      'two in one',
      'dev',
      'scope=repository:front/a:pull%20repository:open/b:pull',
      'repository:front/a:pull repository:open/b:pull',
    ],
    ['the catalogue', undefined, 'scope=registry:catalog:*', 'registry:catalog:*'],
    ['unknown actions and types', 'admin', 'scope=repository:front/a:fly&scope=other:a:pull', ''],
    ['nothing', 'dev', '', ''],
  ])('%s', async (_name, as, query, scope) => {
    const reply = await service.get(query, as);
    expect([reply.status, reply.body.scope]).toEqual([200, scope]);
  });

  it('says 401 to wrong credentials, and not why', async () => {
    await service.users.disable(SYSTEM, 'eva');
    for (const [name, password] of [
      ['dev', 'wrong'],
      ['nobody', PASSWORD],
      ['eva', PASSWORD],
      ['', ''],
    ] as const) {
      const reply = await service.get('', name, password);
      expect(reply.status, name).toBe(401);
      expect(reply.headers['www-authenticate']).toContain('Basic');
      expect(reply.body.errors?.[0]?.code).toBe('UNAUTHORIZED');
      expect(reply.body.errors?.[0]?.message).toBe(
        (await service.get('', 'dev', 'wrong too')).body.errors?.[0]?.message,
      );
    }
  });

  it('slows down guessing from one address, and lets the right password in afterwards', async () => {
    for (let tries = 0; tries < 5; tries += 1)
      expect((await service.get('', 'dev', `wrong ${tries}`)).status).toBe(401);
    const refused = await service.get('', 'dev');
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1']);
    service.clock.advance(1000);
    expect((await service.get('', 'dev')).status).toBe(200);
    // Once right it is remembered, however many guess meanwhile.
    for (let tries = 0; tries < 6; tries += 1) await service.get('', 'dev', `wrong ${tries}`);
    expect((await service.get('', 'dev')).status).toBe(200);
  });

  it('speaks the OAuth 2 grants', async () => {
    const scope = 'repository:front/a:pull,push repository:open/b:pull';
    const form = { grant_type: 'password', username: 'dev', password: PASSWORD, access_type: 'offline', scope };
    const first = await service.post(form);
    expect([first.status, first.body.scope]).toEqual([200, scope]);
    const refresh_token = first.body.refresh_token!;
    const again = await service.post({ grant_type: 'refresh_token', refresh_token, scope });
    expect([again.status, again.body.scope]).toEqual([200, scope]);
    expect(await service.accessOf(again)).toEqual(await service.accessOf(first));
    expect((await service.post({ ...form, password: 'wrong' })).status).toBe(401);
    expect((await service.post({ grant_type: 'device_code' })).status).toBe(400);
    expect((await service.post({ grant_type: 'refresh_token', refresh_token: 'x' })).status).toBe(401);
    expect((await service.post({ grant_type: 'refresh_token', refresh_token: first.body.token! })).status).toBe(401);
    await expect(service.tokens.verify(refresh_token)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('ends refresh tokens with the password, the account, or after thirty days', async () => {
    const refresh = async () => (await service.get('offline_token=true', 'dev')).body.refresh_token!;
    const use = async (refresh_token: string) =>
      (await service.post({ grant_type: 'refresh_token', refresh_token })).status;
    const first = await refresh();
    expect(await use(first)).toBe(200);
    await service.users.setPassword(SYSTEM, 'dev', PASSWORD);
    expect(await use(first)).toBe(401);
    const second = await refresh();
    await service.users.disable(SYSTEM, 'dev');
    expect(await use(second)).toBe(401);
    await service.users.enable(SYSTEM, 'dev');
    expect(await use(second)).toBe(200);
    service.clock.advance(30 * 86_400_000 + 61_000);
    expect(await use(second)).toBe(401);
    expect((await service.get('offline_token=true')).body.refresh_token).toBeUndefined();
  });

  it.each([
    ['GET', 'scope=nonsense'],
    ['GET', Array.from({ length: 51 }, (_, at) => `scope=repository:a/${at}:pull`).join('&')],
  ])('refuses a request it cannot read: %s %s', async (_method, query) => {
    const reply = await service.get(query, 'dev');
    expect([reply.status, reply.body.errors?.[0]?.code]).toEqual([400, 'UNSUPPORTED']);
  });

  it.each([
    ['the password is changed', () => service.users.setPassword(SYSTEM, 'dev', 'another horse')],
    ['the account is disabled', () => service.users.disable(SYSTEM, 'dev')],
    ['the membership ends', () => service.db.deleteFrom('members').execute()],
    ['the role becomes less', () => service.db.updateTable('members').set({ role: 'guest' }).execute()],
  ] as const)('takes from a token what its holder has no more when %s', async (_what, change) => {
    const { token } = (await service.get('scope=repository:front/a:pull,push', 'dev')).body;
    const mayPush = async () => (await service.callerOf(`Bearer ${token}`))?.may('front/a', 'push') ?? false;
    expect(await mayPush()).toBe(true);
    await change();
    // At once, or where it takes a query to see a change, when it is asked next.
    if (engine === 'postgres') service.clock.advance(1000);
    expect(await mayPush()).toBe(false);
  });

  it('closes a project that was public to tokens of nobody', async () => {
    const { token } = (await service.get('scope=repository:open/a:pull')).body;
    const mayPull = async () => (await service.callerOf(`Bearer ${token}`))?.may('open/a', 'pull') ?? false;
    expect(await mayPull()).toBe(true);
    await service.db.updateTable('projects').set({ public: 0 }).execute();
    service.clock.advance(1000);
    expect(await mayPull()).toBe(false);
  });

  it('asks nothing of the database while nothing changes', async () => {
    const { token } = (await service.get('scope=repository:front/a:pull', 'dev')).body;
    await service.callerOf(`Bearer ${token}`);
    const asked: unknown[] = [];
    const counting = service.db.withPlugin({
      transformQuery: ({ node }) => {
        asked.push(node);
        return node;
      },
      transformResult: async ({ result }) => result,
    });
    const { state } = service.handle;
    const standings = createStandings({ db: counting, state, clock: service.clock });
    const { mark } = await service.tokens.verify(token ?? '');
    for (let times = 0; times < 20; times += 1) expect(await standings.of('dev', mark)).toBeDefined();
    expect(asked).toHaveLength(3);
  });

  it('ends bearer tokens on time, with a minute for clocks that differ', async () => {
    const { token } = (await service.get('scope=repository:open/a:pull')).body;
    service.clock.advance(359_000);
    expect((await service.tokens.verify(token!)).subject).toBe('');
    service.clock.advance(2000);
    await expect(service.tokens.verify(token!)).rejects.toThrow('expired');
    service.clock.advance(-1_000_000);
    await expect(service.tokens.verify(token!)).resolves.toBeDefined();
  });

  it('takes no token of another key, service, or signature', async () => {
    const token = await service.tokens.issue({ subject: 'dev', mark: 'x', access: [] }, 300);
    const elsewhere = await openRegistryTokens({ ...service, service: 'other' });
    await expect(elsewhere.verify(token)).rejects.toMatchObject({ code: 'token_invalid' });
    // Another start, and another replica, take it.
    const restarted = await openRegistryTokens({ ...service, service: 'breakwater' });
    expect((await restarted.verify(token)).subject).toBe('dev');
    const [header, payload, signature] = token.split('.') as [string, string, string];
    const none = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
    const forged = Buffer.from(JSON.stringify({ ...claims, sub: 'admin' })).toString('base64url');
    for (const bad of [
      `${none}.${payload}.`,
      `${header}.${forged}.${signature}`,
      `${header}.${payload}.`,
      '',
      'x'.repeat(20_000),
    ])
      await expect(service.tokens.verify(bad)).rejects.toMatchObject({ code: 'token_invalid' });
  });

  it('gives the registry a caller: by token, by Basic, by nothing', async () => {
    const rights = (caller: Awaited<ReturnType<typeof service.callerOf>>, repository: string) =>
      (['pull', 'push', 'delete'] as const).filter((action) => caller?.may(repository, action));
    const { token } = (await service.get('scope=repository:front/a:pull', 'dev')).body;
    const byToken = await service.callerOf(`Bearer ${token}`);
    expect([byToken?.name, byToken?.bypassesGate]).toEqual(['dev', false]);
    expect(rights(byToken, 'front/a')).toEqual(['pull']);
    expect(rights(byToken, 'front/b')).toEqual([]);
    const byBasic = await service.callerOf(basic('dev', PASSWORD).authorization);
    expect(rights(byBasic, 'front/b')).toEqual(['pull', 'push']);
    expect(rights(byBasic, 'open/b')).toEqual(['pull']);
    const admin = await service.callerOf(basic('admin', PASSWORD).authorization);
    expect([rights(admin, 'front/b'), admin?.bypassesGate]).toEqual([['pull', 'push', 'delete'], false]);
    const nobody = await service.callerOf(undefined);
    expect([nobody?.name, rights(nobody, 'open/a'), rights(nobody, 'front/a')]).toEqual(['', ['pull'], []]);
    for (const bad of ['Bearer x', 'Digest x', 'Basic !', basic('dev', 'wrong').authorization])
      expect(await service.callerOf(bad), bad).toBeUndefined();
  });

  it('lists with a token for the catalogue what its holder may pull', async () => {
    const { token } = (await service.get('scope=registry:catalog:*', 'guest')).body;
    const caller = await service.callerOf(`Bearer ${token}`);
    expect([caller?.may('front/a', 'pull'), caller?.may('open/a', 'pull'), caller?.may('front/a', 'push')]).toEqual([
      true,
      true,
      false,
    ]);
    const open = await service.callerOf(`Bearer ${(await service.get('scope=registry:catalog:*')).body.token}`);
    expect([open?.may('front/a', 'pull'), open?.may('open/a', 'pull')]).toEqual([false, true]);
  });

  it('lets an administrator pass the gate only when asked for by name, and writes it down', async () => {
    const bypass = 'scope=repository:front/a:pull,bypass';
    const caller = async (query: string, as: string) =>
      service.callerOf(`Bearer ${(await service.get(query, as)).body.token}`);
    expect((await caller('scope=repository:front/a:pull', 'admin'))?.bypassesGate).toBe(false);
    expect((await caller(bypass, 'dev'))?.bypassesGate).toBe(false);
    expect((await caller(bypass, 'admin'))?.bypassesGate).toBe(true);
    expect((await caller(`${bypass}&scope=repository:front/b:pull`, 'admin'))?.bypassesGate).toBe(false);
    const lines = (await service.ledger.list({ limit: 50 })).filter(({ action }) => action === 'gate.bypass-token');
    expect(lines.map(({ actor, target }) => [actor, target])).toEqual([
      ['admin', 'repository/front/a'],
      ['admin', 'repository/front/a'],
    ]);
  });
});
