import { z } from 'zod';
import { PERMISSIONS, type Permission } from '../../auth/permissions.ts';
import { listOf, moment, name, overlapHours } from './common.ts';
import { endpoint } from './endpoint.ts';

const permission = z.enum(Object.keys(PERMISSIONS) as [Permission, ...Permission[]]);
/** `project` is a name, or `*`: every project and the installation itself. */
const scope = z.object({ project: name, permissions: z.array(permission).min(1).max(100) }).strict();
/** Days until it expires; null = never. */
const days = z.number().int().min(1).max(36_500).nullable().optional();

export const robot = z.object({
  /** What it logs in as, `robot$front+ci`. */
  name: z.string(),
  project: z.string().optional(),
  owner: z.string(),
  description: z.string(),
  scopes: z.array(z.object({ project: z.string(), permissions: z.array(z.string()) })),
  state: z.enum(['active', 'disabled', 'expired', 'owner disabled']),
  expiresAt: moment.optional(),
  createdAt: moment,
  /** To the minute or so. */
  lastUsedAt: moment.optional(),
  /** Those that count now: two during a rotation. */
  secrets: z.array(z.object({ createdAt: moment, endsAt: moment.optional() })),
});
export type Robot = z.infer<typeof robot>;

/** The secret is in no other reply. */
const issued = robot.extend({ secret: z.string() });

/** The name without `robot$`: `front+ci`, or `ci` for one of the installation. Its project is the one the permission is asked for. */
const one = z.object({ robot: z.string().min(1).max(330) }).strict();
/** Absent: of the installation, for administrators only. */
const home = z.object({ project: name.optional() }).strict();

export const createRobot = endpoint('createRobot', 'POST /robots', 'robot:manage', 'Make an account for a machine', {
  query: home,
  body: z
    .object({
      name: z.string().max(255),
      description: z.string().max(2000).optional(),
      scopes: z.array(scope).max(100),
      days,
    })
    .strict(),
  reply: issued,
  status: 201,
});
export const listRobots = endpoint(
  'listRobots',
  'GET /robots',
  'robot:manage',
  'Robots of a project, or all there are',
  {
    query: home,
    reply: listOf(robot),
  },
);
export const getRobot = endpoint('getRobot', 'GET /robots/{robot}', 'robot:manage', 'One robot', {
  params: one,
  reply: robot,
});
export const rotateRobot = endpoint(
  'rotateRobot',
  'POST /robots/{robot}/rotate',
  'robot:manage',
  'Give a robot a second secret; the first one counts a while longer',
  {
    params: one,
    body: z
      .object({
        overlapHours: overlapHours.optional(),
        days,
      })
      .strict(),
    reply: issued,
  },
);
export const finishRotation = endpoint(
  'finishRotation',
  'POST /robots/{robot}/finish-rotation',
  'robot:manage',
  'End the older secret of a robot now',
  { params: one, reply: robot },
);
export const setRobotDisabled = endpoint(
  'setRobotDisabled',
  'PUT /robots/{robot}/disabled',
  'robot:manage',
  'Disable or enable a robot',
  { params: one, body: z.object({ disabled: z.boolean() }).strict() },
);
export const adoptRobot = endpoint(
  'adoptRobot',
  'POST /robots/{robot}/adopt',
  'robot:manage',
  'Answer for a robot from now on',
  { params: one, reply: robot },
);
export const deleteRobot = endpoint('deleteRobot', 'DELETE /robots/{robot}', 'robot:manage', 'Delete a robot', {
  params: one,
});
