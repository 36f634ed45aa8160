import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { isAllowed, PERMISSIONS, type Permission, type ProjectAccess, ROBOT_PERMISSIONS } from './permissions.ts';
import { ANONYMOUS, type Principal } from './principal.ts';

const PAGE = join(import.meta.dirname, '../../docs/users-and-projects.md');
const user: Principal = { kind: 'user', id: 'u', name: 'u', admin: false };
const administrator: Principal = { kind: 'user', id: 'a', name: 'a', admin: true };
const member = (role: NonNullable<ProjectAccess['role']>) => (permission: Permission) =>
  isAllowed(user, permission, { public: false, role }) ? 'x' : '';

const COLUMNS: Readonly<Record<string, (permission: Permission) => string>> = {
  everybody: (permission) => {
    if (isAllowed(ANONYMOUS, permission, { public: false })) return 'x';
    return isAllowed(ANONYMOUS, permission, { public: true }) ? 'public' : '';
  },
  'any user': (permission) => (isAllowed(user, permission) ? 'x' : ''),
  guest: member('guest'),
  developer: member('developer'),
  maintainer: member('maintainer'),
  admin: member('admin'),
  administrator: (permission) => (isAllowed(administrator, permission) ? 'x' : ''),
  robot: (permission) => {
    if ((ROBOT_PERMISSIONS.project as readonly Permission[]).includes(permission)) return 'given';
    return (ROBOT_PERMISSIONS.installation as readonly Permission[]).includes(permission) ? 'given with `*`' : '';
  },
};

function row(cells: readonly string[]): string {
  return `|${cells.map((cell) => (cell === '' ? ' |' : ` ${cell} |`)).join('')}`;
}

function tableOf(): string[] {
  const columns = Object.entries(COLUMNS);
  return [
    row(['permission', ...columns.map(([name]) => name)]),
    `|${'---|'.repeat(columns.length + 1)}`,
    ...(Object.keys(PERMISSIONS) as Permission[]).map((permission) =>
      row([`\`${permission}\``, ...columns.map(([, cell]) => cell(permission))]),
    ),
  ];
}

it('shows the table of permissions as it is in the code', () => {
  const page = readFileSync(PAGE, 'utf8').split('\n');
  const table = tableOf();
  const start = page.indexOf(table[0] ?? '');
  expect(start, 'the table is not on the page').toBeGreaterThan(0);
  expect(page.slice(start, page.indexOf('', start))).toEqual(table);
});
