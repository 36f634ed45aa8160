import { z } from 'zod';
import type { Row } from '../db/schema.ts';
import { AuthError } from './errors.ts';
import { PERMISSIONS, type Permission, ROBOT_PERMISSIONS } from './permissions.ts';
import { EVERYWHERE, type Person } from './principal.ts';

/** What a robot may do in one project, or everywhere (`*`). */
export interface RobotScope {
  /** Name of the project, or `*`. */
  readonly project: string;
  readonly permissions: readonly Permission[];
}

/** A secret that counts, without itself. */
export interface RobotSecretView {
  readonly createdAt: number;
  /** When it stops, because another one has taken its place. */
  readonly endsAt?: number;
}

/** An account for a machine. */
export interface Robot {
  /** What it logs in as, `robot$front+ci`. */
  readonly name: string;
  /** Whose administrators manage it; absent: only administrators of the installation. */
  readonly project?: string;
  /** The person who answers for it. */
  readonly owner: string;
  readonly description: string;
  readonly scopes: readonly RobotScope[];
  /** Why it cannot log in, or that it can. */
  readonly state: 'active' | 'disabled' | 'expired' | 'owner disabled';
  /** Epoch ms; absent: never. */
  readonly expiresAt?: number;
  readonly createdAt: number;
  /** To the minute or so. */
  readonly lastUsedAt?: number;
  readonly secrets: readonly RobotSecretView[];
}

/** No name of a person can hold a `$`. What an account is, its row says, never its name. */
const LOGIN_PREFIX = 'robot$';
const NAME = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/;
const LONGEST_NAME = 64;
const LONGEST_DESCRIPTION = 500;

/** What a robot is called between people and commands: `front+ci`, or `ci` for one of the installation. */
export function labelOf(loginName: string): string {
  return loginName.slice(LOGIN_PREFIX.length);
}

/** The login name for a label; also takes what is one already. */
export function loginNameOf(label: string): string {
  return label.startsWith(LOGIN_PREFIX) ? label : LOGIN_PREFIX + label;
}

/** The name of the project in a label, which is only where to look: the row says whether it belongs there. */
export function projectOfLabel(label: string): string | undefined {
  const bare = labelOf(loginNameOf(label));
  const plus = bare.indexOf('+');
  return plus < 0 ? undefined : bare.slice(0, plus);
}

/** Makes the login name of a new robot. Throws `AuthError('robot_invalid')`. */
export function newLoginName(name: string, project: string | undefined): string {
  if (name.length > LONGEST_NAME || !NAME.test(name))
    throw invalid(
      `${JSON.stringify(name.slice(0, 80))} is not a name for a robot: use at most ${LONGEST_NAME} lower-case letters, digits and single . _ - between them`,
    );
  return `${LOGIN_PREFIX}${project === undefined ? '' : `${project}+`}${name}`;
}

export function checkDescription(text: string): string {
  const description = text.trim();
  if (description.length > LONGEST_DESCRIPTION)
    throw invalid(`the description has more than ${LONGEST_DESCRIPTION} characters`);
  return description;
}

/** Checks what a robot is to be given, and puts scopes for the same project together. Throws `AuthError('robot_invalid')`. */
export function checkScopes(scopes: readonly RobotScope[]): ReadonlyMap<string, readonly Permission[]> {
  const wanted = new Map<string, readonly Permission[]>();
  for (const { project, permissions } of scopes)
    wanted.set(project, [...new Set([...(wanted.get(project) ?? []), ...permissions])].sort());
  const total = [...wanted.values()].reduce((sum, { length }) => sum + length, 0);
  if (total === 0) throw invalid('a robot needs at least one right, like repository:pull');
  for (const [project, permissions] of wanted)
    for (const permission of permissions)
      if (!mayBeGiven(permission, project))
        throw invalid(
          `${permission} cannot be given to a robot${project === EVERYWHERE ? '' : ` in a project; possible are ${ROBOT_PERMISSIONS.project.join(', ')}`}`,
        );
  return wanted;
}

function mayBeGiven(permission: Permission, project: string): boolean {
  const kinds = project === EVERYWHERE ? (['project', 'installation'] as const) : (['project'] as const);
  return kinds.some((kind) => (ROBOT_PERMISSIONS[kind] as readonly Permission[]).includes(permission));
}

/** A robot with everything that decides whether and what it may. */
export interface RobotRecord {
  readonly row: Row<'robots'>;
  readonly owner: Person;
  readonly ownerDisabled: boolean;
  /** Permissions by the id of the project or `*`. */
  readonly grants: ReadonlyMap<string, ReadonlySet<Permission>>;
  readonly secrets: readonly Row<'robot_secrets'>[];
}

export function stateOf({ row, ownerDisabled }: RobotRecord, now: number): Robot['state'] {
  if (row.disabled === 1) return 'disabled';
  if (row.expires_at !== null && now >= row.expires_at) return 'expired';
  return ownerDisabled ? 'owner disabled' : 'active';
}

export function isCounting({ ends_at }: Pick<Row<'robot_secrets'>, 'ends_at'>, now: number): boolean {
  return ends_at === null || now < ends_at;
}

const grantsSchema = z.record(z.string(), z.array(z.string()));

/** Grants as they are stored; permissions this version does not know give nothing. */
export function readGrants(text: string): ReadonlyMap<string, ReadonlySet<Permission>> {
  const stored = grantsSchema.parse(JSON.parse(text));
  return new Map(
    Object.entries(stored).map(([project, permissions]) => [
      project,
      new Set(permissions.filter((one): one is Permission => Object.hasOwn(PERMISSIONS, one))),
    ]),
  );
}

function invalid(message: string): AuthError {
  return new AuthError('robot_invalid', message);
}
