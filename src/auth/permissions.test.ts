import { describe, expect, it } from 'vitest';
import { isAllowed, PERMISSIONS, type Permission, type ProjectAccess } from './permissions.ts';
import { ANONYMOUS, type Principal } from './principal.ts';

const user: Principal = { kind: 'user', id: 'u', name: 'u', admin: false };
const administrator: Principal = { kind: 'user', id: 'a', name: 'a', admin: true };

/** Everybody there is, weakest first: anonymous and users without a role, outside and inside projects; members; administrators. */
const PEOPLE: readonly (readonly [who: string, principal: Principal, project: ProjectAccess | undefined])[] = [
  ['anonymous', ANONYMOUS, undefined],
  ['anonymous in a private project', ANONYMOUS, { public: false }],
  ['anonymous in a public project', ANONYMOUS, { public: true }],
  ['a user', user, undefined],
  ['a user in a private project', user, { public: false }],
  ['a user in a public project', user, { public: true }],
  ['a guest', user, { public: false, role: 'guest' }],
  ['a developer', user, { public: false, role: 'developer' }],
  ['a maintainer', user, { public: false, role: 'maintainer' }],
  ['a project admin', user, { public: false, role: 'admin' }],
  ['an administrator', administrator, { public: false }],
];
const ANY_USER = PEOPLE.map(([who]) => who).filter((who) => !who.startsWith('anonymous'));
const EVERYBODY = PEOPLE.map(([who]) => who);
const READERS = [
  'anonymous in a public project',
  'a user in a public project',
  'a guest',
  'a developer',
  'a maintainer',
  'a project admin',
  'an administrator',
];
const MEMBERS = ['a guest', 'a developer', 'a maintainer', 'a project admin', 'an administrator'];
const DEVELOPERS = ['a developer', 'a maintainer', 'a project admin', 'an administrator'];
const MAINTAINERS = ['a maintainer', 'a project admin', 'an administrator'];
const PROJECT_ADMINS = ['a project admin', 'an administrator'];
const ADMINISTRATORS = ['an administrator'];

/** Written out a second time on purpose: a change of the table must be meant twice. */
const EXPECTED: Readonly<Record<Permission, readonly string[]>> = {
  'repository:pull': READERS,
  'repository:push': DEVELOPERS,
  'repository:delete': MAINTAINERS,
  'gate:bypass': ADMINISTRATORS,
  'project:list': EVERYBODY,
  'project:create': ADMINISTRATORS,
  'project:read': READERS,
  'project:update': PROJECT_ADMINS,
  'project:delete': ADMINISTRATORS,
  'upstream:manage': ADMINISTRATORS,
  'policy:read': READERS,
  'policy:update': PROJECT_ADMINS,
  'installation:read': ANY_USER,
  'simulation:run': PROJECT_ADMINS,
  'installation:update': ADMINISTRATORS,
  'usage:read': READERS,
  'quota:set': ADMINISTRATORS,
  'immutable-tags:manage': PROJECT_ADMINS,
  'retention:read': MEMBERS,
  'retention:manage': PROJECT_ADMINS,
  'retention:run': PROJECT_ADMINS,
  'member:read': MEMBERS,
  'member:manage': PROJECT_ADMINS,
  'user:manage': ADMINISTRATORS,
  'password:change': ANY_USER,
  'robot:manage': PROJECT_ADMINS,
  'notify:manage': PROJECT_ADMINS,
  'notify:read': PROJECT_ADMINS,
  'verdict:read': READERS,
  'exception:read': MEMBERS,
  'exception:request': DEVELOPERS,
  'exception:decide': PROJECT_ADMINS,
  'exception:read-everywhere': ANY_USER,
  'exception:request-everywhere': ANY_USER,
  'exception:decide-everywhere': ADMINISTRATORS,
  'vex:read': MEMBERS,
  'vex:import': DEVELOPERS,
  'vex:withdraw': PROJECT_ADMINS,
  'vex-author:read': ANY_USER,
  'vex-author:manage': ADMINISTRATORS,
  'trust:read': ANY_USER,
  'trust:propose': ANY_USER,
  'trust:decide': ADMINISTRATORS,
  'quarantine:read': ANY_USER,
  'quarantine:manage': ADMINISTRATORS,
  'advisories:read': ANY_USER,
  'advisories:import': ADMINISTRATORS,
  'guard:read': ANY_USER,
  'guard:report': ADMINISTRATORS,
  'cluster-audit:run': ADMINISTRATORS,
  'gc:read': ADMINISTRATORS,
  'gc:run': ADMINISTRATORS,
  'analysis:repeat': ADMINISTRATORS,
  'mirror:copy': DEVELOPERS,
  'ledger:read': ADMINISTRATORS,
  'evidence:export': ADMINISTRATORS,
};

describe('permission table', () => {
  it('is the one expected here', () => {
    expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(PERMISSIONS).sort());
  });

  const rows = Object.entries(EXPECTED).flatMap(([permission, holders]) =>
    PEOPLE.map(([who, principal, project]) => ({
      permission,
      who,
      principal,
      project,
      allowed: holders.includes(who),
    })),
  );
  it.each(rows)('$who: $permission → $allowed', ({ permission, principal, project, allowed }) => {
    expect(isAllowed(principal, permission as Permission, project)).toBe(allowed);
  });
});
