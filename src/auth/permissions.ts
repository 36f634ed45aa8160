import { EVERYWHERE, type Principal } from './principal.ts';

/** Strongest first. */
export const ROLES = ['admin', 'maintainer', 'developer', 'guest'] as const;
/** Role of a member in a project. */
export type Role = (typeof ROLES)[number];

/** Who holds a permission. `everybody` needs no login; a role means that role or a stronger one in the project. */
export type Holder =
  | 'everybody'
  | 'everybody-if-public'
  | 'any-user'
  | 'guest'
  | 'developer'
  | 'maintainer'
  | 'project-admin'
  | 'administrator';

/** The one table of permissions. What is not listed is not allowed. */
export const PERMISSIONS = {
  'repository:pull': ['guest', 'everybody-if-public'],
  'repository:push': ['developer'],
  'repository:delete': ['maintainer'],
  'gate:bypass': ['administrator'],
  'project:list': ['everybody'],
  'project:create': ['administrator'],
  'project:read': ['guest', 'everybody-if-public'],
  'project:update': ['project-admin'],
  'project:delete': ['administrator'],
  /** Upstreams are addresses this server connects to: not for administrators of a single project. */
  'upstream:manage': ['administrator'],
  'policy:read': ['guest', 'everybody-if-public'],
  'policy:update': ['project-admin'],
  /** What counts for every project, as far as each of them shows it anyway. */
  'installation:read': ['any-user'],
  /** Says what runs where, of a project; without one, of all. */
  'simulation:run': ['project-admin'],
  'installation:update': ['administrator'],
  'usage:read': ['guest', 'everybody-if-public'],
  /** How much space a project may take is not for its own administrators to say. */
  'quota:set': ['administrator'],
  'immutable-tags:manage': ['project-admin'],
  /** Says what runs where, so not for everybody, also of a public project. */
  'retention:read': ['guest'],
  'retention:manage': ['project-admin'],
  'retention:run': ['project-admin'],
  'member:read': ['guest'],
  'member:manage': ['project-admin'],
  'user:manage': ['administrator'],
  'password:change': ['any-user'],
  'robot:manage': ['project-admin'],
  /** Who is told, and what they were told. */
  'notify:manage': ['project-admin'],
  'notify:read': ['project-admin'],
  'verdict:read': ['guest', 'everybody-if-public'],
  'exception:read': ['guest'],
  'exception:request': ['developer'],
  'exception:decide': ['project-admin'],
  /** What counts in every project concerns everybody, and only administrators decide about it. */
  'exception:read-everywhere': ['any-user'],
  'exception:request-everywhere': ['any-user'],
  'exception:decide-everywhere': ['administrator'],
  'vex:read': ['guest'],
  /** What is not signed by a declared author asks for exceptions, which developers may. */
  'vex:import': ['developer'],
  'vex:withdraw': ['project-admin'],
  'vex-author:read': ['any-user'],
  /** Says whose word counts everywhere. */
  'vex-author:manage': ['administrator'],
  'trust:read': ['any-user'],
  'trust:propose': ['any-user'],
  'trust:decide': ['administrator'],
  /** What may run nowhere is for everybody to know, and for those to decide who answer for all of it. */
  'quarantine:read': ['any-user'],
  'quarantine:manage': ['administrator'],
  'advisories:read': ['any-user'],
  'advisories:import': ['administrator'],
  'guard:read': ['any-user'],
  /** What runs in a cluster is evidence: it comes from guards, and from nobody else. */
  'guard:report': ['administrator'],
  'cluster-audit:run': ['administrator'],
  'gc:read': ['administrator'],
  'gc:run': ['administrator'],
  /** Takes the machine's time, of every project. */
  'analysis:repeat': ['administrator'],
  'mirror:copy': ['developer'],
  'ledger:read': ['administrator'],
  'evidence:export': ['administrator'],
} as const satisfies Record<string, readonly Holder[]>;

export type Permission = keyof typeof PERMISSIONS;

/**
 * What a robot can be given. Left out is what makes or changes accounts and projects, and every decision that takes a person;
 * `installation`: only together with every project, by administrators.
 */
export const ROBOT_PERMISSIONS = {
  project: [
    'repository:pull',
    'repository:push',
    'repository:delete',
    'gate:bypass',
    'project:read',
    'policy:read',
    'policy:update',
    'simulation:run',
    'usage:read',
    'retention:read',
    'member:read',
    'verdict:read',
    'exception:read',
    'exception:request',
    'vex:read',
    'vex:import',
    'mirror:copy',
    'notify:read',
  ],
  installation: [
    'vex-author:read',
    'trust:read',
    'quarantine:read',
    'advisories:read',
    'advisories:import',
    'guard:read',
    'guard:report',
    'cluster-audit:run',
    'gc:read',
    'gc:run',
    'ledger:read',
    'evidence:export',
  ],
} as const satisfies Record<string, readonly Permission[]>;

/** What a decision about a project needs to know of it. Absent for installation-wide permissions. */
export interface ProjectAccess {
  readonly public: boolean;
  /** Role of the principal in this project, when a member. */
  readonly role?: Role;
  /** What the principal, a robot, was given in this project. */
  readonly granted?: ReadonlySet<string>;
}

/** True when the principal holds the permission; an administrator holds all of them. Deny by default. */
export function isAllowed(principal: Principal, permission: Permission, project?: ProjectAccess): boolean {
  if (principal.kind === 'user' && principal.admin) return true;
  if (principal.kind === 'robot' && isGranted(principal, permission, project)) return true;
  return PERMISSIONS[permission].some((holder) => holds(principal, holder, project));
}

function isGranted(
  { grants }: Extract<Principal, { readonly kind: 'robot' }>,
  permission: Permission,
  project: ProjectAccess | undefined,
): boolean {
  return grants.get(EVERYWHERE)?.has(permission) === true || project?.granted?.has(permission) === true;
}

function holds(principal: Principal, holder: Holder, project: ProjectAccess | undefined): boolean {
  switch (holder) {
    case 'everybody':
      return true;
    case 'everybody-if-public':
      return project?.public === true;
    case 'any-user':
      return principal.kind === 'user';
    case 'guest':
    case 'developer':
    case 'maintainer':
      return hasRole(project, holder);
    case 'project-admin':
      return hasRole(project, 'admin');
    case 'administrator':
      return false;
  }
}

/** That role or a stronger one. */
function hasRole(project: ProjectAccess | undefined, role: Role): boolean {
  return project?.role !== undefined && ROLES.indexOf(project.role) <= ROLES.indexOf(role);
}
