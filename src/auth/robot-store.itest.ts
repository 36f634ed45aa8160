import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { ANONYMOUS, type Principal, SYSTEM } from './principal.ts';
import type { RobotScope } from './robot.ts';
import { newRobotSecret } from './robot-secret.ts';
import { basic, PASSWORD, startTokenService } from './testing.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const FRONT = { id: 'id-front', name: 'front' };
const PULL: readonly RobotScope[] = [{ project: 'front', permissions: ['repository:pull'] }];
const PUSH: readonly RobotScope[] = [{ project: 'front', permissions: ['repository:pull', 'repository:push'] }];

function wanted(permissions: RobotScope['permissions'], project = 'front'): RobotScope[] {
  return [{ project, permissions }];
}

describe.each(ENGINES)('robots on %s', (engine) => {
  let service: Awaited<ReturnType<typeof startTokenService>>;
  let admin: Principal;
  let dev: Principal;
  beforeEach(async () => {
    service = await startTokenService(engine);
    admin = await as('admin');
    dev = await as('dev');
  });
  afterEach(() => service.close());

  const as = async (name: string): Promise<Principal> =>
    (await service.users.authenticate(name, PASSWORD))?.principal ?? ANONYMOUS;
  const make = (by = dev, input: { name?: string; scopes?: readonly RobotScope[]; days?: number | null } = {}) =>
    service.robots.create(by, FRONT, { name: 'ci', scopes: PUSH, ...input });
  const login = async (secret: string, name = 'robot$front+ci') =>
    (await service.accounts.authenticate(name, secret))?.principal;
  const bearer = async (secret: string, query = 'scope=repository:front/a:pull,push,delete') => {
    const reply = await service.get(query, 'robot$front+ci', secret);
    return { status: reply.status, scope: reply.body.scope, header: `Bearer ${reply.body.token}`, body: reply.body };
  };
  const lines = async () => (await service.ledger.list({ limit: 100, action: 'robot' })).map((line) => line);

  it('log in with what they were given, as registry clients do', async () => {
    const { robot, secret } = await make();
    expect(robot).toMatchObject({
      name: 'robot$front+ci',
      project: 'front',
      owner: 'dev',
      state: 'active',
      expiresAt: service.clock.now() + 90 * DAY,
      scopes: [{ project: 'front', permissions: ['repository:pull', 'repository:push'] }],
    });
    expect(await login(secret)).toMatchObject({ kind: 'robot', name: 'robot$front+ci', owner: { name: 'dev' } });
    const token = await bearer(secret);
    expect(token).toMatchObject({ status: 200, scope: 'repository:front/a:pull,push' });
    for (const authorization of [token.header, basic('robot$front+ci', secret).authorization]) {
      const caller = await service.callerOf(authorization);
      expect([caller?.name, caller?.person, caller?.bypassesGate]).toEqual(['robot$front+ci', 'dev', false]);
      expect([caller?.may('front/a', 'pull'), caller?.may('front/a', 'push')]).toEqual([true, true]);
      expect([caller?.may('front/a', 'delete'), caller?.may('open/a', 'push')]).toEqual([false, false]);
      // Public is public, for machines too, where the token says so.
      expect(caller?.may('open/a', 'pull')).toBe(authorization.startsWith('Basic'));
    }
  });

  it('are kept without their secrets, which are told nowhere else either', async () => {
    const { secret } = await make();
    const { secret: second } = await service.robots.rotate(dev, FRONT, 'front+ci', {});
    const kept = JSON.stringify([
      await service.db.selectFrom('robots').selectAll().execute(),
      await service.db.selectFrom('robot_secrets').selectAll().execute(),
      await lines(),
    ]);
    for (const one of [secret, second]) {
      expect(kept).not.toContain(one);
      expect(kept).not.toContain(one.slice(4, -6));
    }
  });

  it('have two secrets during a rotation, and one before and after it', async () => {
    const { secret: first } = await make();
    const { secret: second, robot } = await service.robots.rotate(dev, FRONT, 'front+ci', {});
    expect(robot.secrets).toEqual([
      { createdAt: service.clock.now(), endsAt: service.clock.now() + DAY },
      { createdAt: service.clock.now() },
    ]);
    const live = async () => [await login(first), await login(second)].map((who) => who !== undefined);
    expect(await live()).toEqual([true, true]);
    await expect(service.robots.rotate(dev, FRONT, 'front+ci', {})).rejects.toMatchObject({ code: 'rotation_open' });
    service.clock.advance(DAY - 1);
    expect(await live()).toEqual([true, true]);
    service.clock.advance(1);
    expect(await live()).toEqual([false, true]);
    await expect(service.robots.finishRotation(dev, FRONT, 'front+ci')).rejects.toMatchObject({
      code: 'robot_invalid',
    });
    const { secret: third } = await service.robots.rotate(dev, FRONT, 'front+ci', { overlapHours: 1 });
    expect((await service.robots.finishRotation(dev, FRONT, 'front+ci')).secrets).toHaveLength(1);
    expect([await login(second), (await login(third))?.kind]).toEqual([undefined, 'robot']);
    // A secret that has leaked, and one more that was on its way out.
    await service.robots.rotate(dev, FRONT, 'front+ci', {});
    const { secret: last } = await service.robots.rotate(dev, FRONT, 'front+ci', { overlapHours: 0 });
    expect(await login(third)).toBeUndefined();
    expect((await login(last))?.kind).toBe('robot');
    expect(await service.db.selectFrom('robot_secrets').selectAll().execute()).toHaveLength(1);
  });

  it('never have more than two secrets, also when rotated at the same time', async () => {
    await make();
    const tries = await Promise.allSettled(
      Array.from({ length: 6 }, () => service.robots.rotate(dev, FRONT, 'front+ci', {})),
    );
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect((await service.robots.get(FRONT, 'front+ci')).secrets).toHaveLength(2);
  });

  it.each([
    ['the robot is disabled', () => service.robots.setDisabled(admin, FRONT, 'front+ci', true)],
    ['the robot is deleted', () => service.robots.remove(admin, FRONT, 'front+ci')],
    ['its owner is disabled', () => service.users.disable(SYSTEM, 'dev')],
    ['it has expired', async () => service.clock.advance(90 * DAY)],
    ['its secret was replaced', () => service.robots.rotate(admin, FRONT, 'front+ci', { overlapHours: 0 })],
    ['its project is gone', () => service.db.deleteFrom('projects').where('name', '=', 'front').execute()],
  ] as const)('stop, and their tokens with them, when %s', async (why, stop) => {
    const { secret } = await make();
    const { header, body } = await bearer(secret, 'scope=repository:front/a:push&offline_token=true');
    expect((await service.callerOf(header))?.may('front/a', 'push')).toBe(true);
    await stop();
    // Where it takes a query to see that something changed, that is asked once a second.
    service.clock.advance(1000);
    expect((await service.callerOf(header))?.may('front/a', 'push') ?? false).toBe(false);
    if (why === 'its project is gone') return;
    expect(await service.callerOf(header)).toBeUndefined();
    expect(await login(secret)).toBeUndefined();
    const refresh = { grant_type: 'refresh_token', refresh_token: body.refresh_token ?? '' };
    expect((await service.post(refresh)).status).toBe(401);
  });

  it('made again under the same name does not take up the tokens of the one before', async () => {
    const { secret } = await make();
    const { header } = await bearer(secret);
    await service.robots.remove(dev, FRONT, 'front+ci');
    await make();
    service.clock.advance(1000);
    expect([await service.callerOf(header), await login(secret)]).toEqual([undefined, undefined]);
  });

  it('get no right that the person who makes them does not have', async () => {
    await expect(make(dev, { scopes: wanted(['repository:delete']) })).rejects.toMatchObject({ code: 'denied' });
    await expect(make(dev, { scopes: wanted(['gate:bypass']) })).rejects.toMatchObject({ code: 'denied' });
    await expect(make(dev, { scopes: wanted(['repository:pull'], '*') })).rejects.toMatchObject({
      code: 'rights_exceeded',
    });
    await expect(make(dev, { scopes: wanted(['repository:push'], 'open') })).rejects.toMatchObject({ code: 'denied' });
    await expect(make(dev, { scopes: wanted(['repository:pull'], 'nowhere') })).rejects.toMatchObject({
      code: 'project_unknown',
    });
    for (const permission of [
      'robot:manage',
      'member:manage',
      'user:manage',
      'exception:decide',
      'trust:decide',
    ] as const)
      await expect(make(admin, { scopes: wanted([permission], '*') })).rejects.toMatchObject({ code: 'robot_invalid' });
    await expect(make(admin, { scopes: wanted(['advisories:import']) })).rejects.toMatchObject({
      code: 'robot_invalid',
    });
    await expect(make(dev, { scopes: [] })).rejects.toMatchObject({ code: 'robot_invalid' });
    expect(await service.robots.list(undefined)).toEqual([]);
    const { secret } = await make(admin, { scopes: wanted(['repository:pull', 'advisories:import'], '*') });
    const robot = await login(secret);
    expect(await service.access.allowed(robot ?? ANONYMOUS, 'repository:pull', 'front')).toBe(true);
    expect(await service.access.allowed(robot ?? ANONYMOUS, 'advisories:import')).toBe(true);
    expect(await service.access.allowed(robot ?? ANONYMOUS, 'advisories:read')).toBe(false);
    await expect(service.robots.create(robot ?? ANONYMOUS, FRONT, { name: 'x', scopes: PULL })).rejects.toMatchObject({
      code: 'denied',
    });
  });

  it('do not hand their rights to who looks after them without having those', async () => {
    const { secret } = await make(admin, { scopes: [{ project: 'front', permissions: ['repository:delete'] }] });
    for (const steal of [
      () => service.robots.rotate(dev, FRONT, 'front+ci', { overlapHours: 0 }),
      () => service.robots.adopt(dev, FRONT, 'front+ci'),
    ])
      await expect(steal()).rejects.toMatchObject({ code: 'rights_exceeded' });
    expect((await login(secret))?.kind).toBe('robot');
    expect((await service.robots.get(FRONT, 'front+ci')).owner).toBe('admin');
  });

  it('go on under another owner who has their rights', async () => {
    const { secret } = await make();
    await service.users.disable(SYSTEM, 'dev');
    expect((await service.robots.get(FRONT, 'front+ci')).state).toBe('owner disabled');
    expect((await service.robots.adopt(admin, FRONT, 'front+ci')).owner).toBe('admin');
    expect(await login(secret)).toMatchObject({ owner: { name: 'admin' } });
    // The rights stay what they were: they do not follow the new owner's.
    expect((await bearer(secret)).scope).toBe('repository:front/a:pull,push');
  });

  it('live ninety days, a year at most, and for ever only by an administrator', async () => {
    await expect(make(dev, { days: null })).rejects.toMatchObject({ code: 'robot_invalid' });
    await expect(make(dev, { days: 366 })).rejects.toMatchObject({ code: 'robot_invalid' });
    const { robot } = await make(admin, { days: null });
    expect(robot.expiresAt).toBeUndefined();
    await expect(service.robots.rotate(dev, FRONT, 'front+ci', { days: null })).rejects.toMatchObject({
      code: 'robot_invalid',
    });
    const { robot: renewed } = await service.robots.rotate(dev, FRONT, 'front+ci', { days: 30 });
    expect(renewed.expiresAt).toBe(service.clock.now() + 30 * DAY);
  });

  it.each(['', 'A', 'a b', 'a$b', 'a+b', '-a', 'a/../b', 'x'.repeat(65)])('refuse the name %j', async (name) => {
    await expect(make(dev, { name })).rejects.toMatchObject({ code: 'robot_invalid' });
  });

  it('are found only where they belong, whatever their name says', async () => {
    await make();
    await expect(make()).rejects.toMatchObject({ code: 'robot_exists' });
    for (const home of [undefined, { id: 'id-open', name: 'open' }]) {
      await expect(service.robots.get(home, 'front+ci')).rejects.toMatchObject({ code: 'robot_unknown' });
      await expect(service.robots.remove(admin, home, 'robot$front+ci')).rejects.toMatchObject({
        code: 'robot_unknown',
      });
    }
    // No person can be called like one.
    for (const name of ['robot$front+ci', 'robot$ci'])
      await expect(service.users.create(SYSTEM, { name, password: PASSWORD })).rejects.toMatchObject({
        code: 'name_invalid',
      });
  });

  it('are told when a secret was cut off or mistyped, and slowed down after five wrong ones', async () => {
    const { secret } = await make();
    const reply = await service.get('', 'robot$front+ci', secret.slice(0, -1));
    expect([reply.status, reply.body.errors?.[0]?.message]).toEqual([401, expect.stringContaining('mistyped')]);
    expect(await service.callerOf(basic('robot$front+ci', secret.slice(1)).authorization)).toBeUndefined();
    for (let tries = 0; tries < 4; tries += 1) expect(await login(newRobotSecret())).toBeUndefined();
    await expect(login(newRobotSecret())).rejects.toMatchObject({ code: 'throttled' });
    // The right one is never held up by those who guess.
    expect((await login(secret))?.kind).toBe('robot');
    expect(await login(secret, 'robot$ci')).toBeUndefined();
    const failed = await service.ledger.list({ limit: 9, action: 'login.failed' });
    expect(failed).toMatchObject([{ actor: 'anonymous', target: 'robot/front+ci', details: { attempts: 5 } }]);
  });

  it('show when they were used last, without a write for every login', async () => {
    const { secret } = await make();
    service.clock.advance(HOUR);
    for (let times = 0; times < 5; times += 1) await login(secret);
    expect((await service.robots.get(FRONT, 'front+ci')).lastUsedAt).toBeUndefined();
    await service.robotUse.flush();
    expect((await service.robots.get(FRONT, 'front+ci')).lastUsedAt).toBe(service.clock.now());
  });

  it('leave one line for every change', async () => {
    await make();
    await service.robots.rotate(dev, FRONT, 'front+ci', {});
    await service.robots.finishRotation(dev, FRONT, 'front+ci');
    await service.robots.setDisabled(admin, FRONT, 'front+ci', true);
    await service.robots.setDisabled(admin, FRONT, 'front+ci', false);
    await service.robots.adopt(admin, FRONT, 'front+ci');
    await service.robots.remove(admin, FRONT, 'front+ci');
    expect((await lines()).map(({ actor, action, target }) => `${actor} ${action} ${target}`)).toEqual([
      'dev robot.create robot/front+ci',
      'dev robot.rotate robot/front+ci',
      'dev robot.finish-rotation robot/front+ci',
      'admin robot.disable robot/front+ci',
      'admin robot.enable robot/front+ci',
      'admin robot.adopt robot/front+ci',
      'admin robot.delete robot/front+ci',
    ]);
    expect(await service.ledger.list({ limit: 100, project: 'front' })).toHaveLength(7);
  });
});
