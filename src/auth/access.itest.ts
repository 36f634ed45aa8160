import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { ANONYMOUS, type Principal } from './principal.ts';
import { PASSWORD, startTokenService } from './testing.ts';

describe.each(ENGINES)('access on %s', (engine) => {
  let service: Awaited<ReturnType<typeof startTokenService>>;
  beforeAll(async () => {
    service = await startTokenService(engine);
  });
  afterAll(() => service.close());

  const as = async (name: string): Promise<Principal> =>
    (await service.users.authenticate(name, PASSWORD))?.principal ?? ANONYMOUS;

  it.each([
    ['dev', 'repository:push', 'front', undefined],
    ['dev', 'project:update', 'front', 'denied'],
    ['guest', 'repository:push', 'front', 'denied'],
    ['eva', 'project:read', 'front', 'project_unknown'],
    ['eva', 'project:read', 'nowhere', 'project_unknown'],
    ['eva', 'repository:push', 'open', 'denied'],
    ['nobody', 'repository:pull', 'front', 'unauthenticated'],
    ['nobody', 'repository:pull', 'nowhere', 'unauthenticated'],
    ['nobody', 'repository:pull', 'open', undefined],
    ['admin', 'project:delete', 'front', undefined],
    ['admin', 'project:delete', 'nowhere', 'project_unknown'],
  ] as const)('%s, %s in %s: %s', async (name, permission, project, code) => {
    const principal = name === 'nobody' ? ANONYMOUS : await as(name);
    const attempt = service.access.requireIn(principal, permission, project);
    if (code) await expect(attempt).rejects.toMatchObject({ code });
    else await expect(attempt).resolves.toMatchObject({ id: `id-${project}`, name: project });
    const allowed = await service.access.allowed(principal, permission, project);
    expect(allowed).toBe(code === undefined || (name === 'admin' && project === 'nowhere'));
  });

  it('says the same of a hidden project as of one that is not there', async () => {
    const eva = await as('eva');
    const message = (name: string) =>
      service.access.requireIn(eva, 'verdict:read', name).catch((error: Error) => error.message.replace(name, '…'));
    expect(await message('front')).toBe(await message('nowhere'));
  });

  it('asks for permissions over the whole installation', async () => {
    const [admin, eva] = [await as('admin'), await as('eva')];
    expect(() => service.access.require(admin, 'user:manage')).not.toThrow();
    expect(() => service.access.require(eva, 'user:manage')).toThrow(expect.objectContaining({ code: 'denied' }));
    expect(() => service.access.require(ANONYMOUS, 'trust:read')).toThrow(
      expect.objectContaining({ code: 'unauthenticated' }),
    );
  });

  it('counts a change of role at once, and a role it does not know as none', async () => {
    const dev = await as('dev');
    const set = (role: string) =>
      service.db.updateTable('members').set({ role }).where('role', '!=', 'guest').execute();
    expect(await service.access.allowed(dev, 'project:update', 'front')).toBe(false);
    await set('admin');
    expect(await service.access.allowed(dev, 'project:update', 'front')).toBe(true);
    await set('emperor');
    expect(await service.access.allowed(dev, 'project:read', 'front')).toBe(false);
  });
});
