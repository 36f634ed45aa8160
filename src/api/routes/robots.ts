import type { Robot } from '../../auth/robot.ts';
import type { IssuedRobot } from '../../auth/robot-store.ts';
import * as contract from '../contract/robots.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, homeOf, on, time } from '../handler.ts';

export function robotRoutes({ robots }: ApiDeps): BoundEndpoint[] {
  return [
    on(contract.createRobot, async ({ by, project, body: { description, days, ...body } }) =>
      issued(
        await robots.create(by, homeOf(project), {
          ...body,
          ...(description === undefined ? {} : { description }),
          ...(days === undefined ? {} : { days }),
        }),
      ),
    ),
    on(contract.listRobots, async ({ project }) => ({ items: (await robots.list(homeOf(project))).map(view) })),
    on(contract.getRobot, async ({ params, project }) => view(await robots.get(homeOf(project), params.robot))),
    on(contract.rotateRobot, async ({ by, params, project, body: { overlapHours, days } }) =>
      issued(
        await robots.rotate(by, homeOf(project), params.robot, {
          ...(overlapHours === undefined ? {} : { overlapHours }),
          ...(days === undefined ? {} : { days }),
        }),
      ),
    ),
    on(contract.finishRotation, async ({ by, params, project }) =>
      view(await robots.finishRotation(by, homeOf(project), params.robot)),
    ),
    on(contract.setRobotDisabled, async ({ by, params, project, body }) =>
      robots.setDisabled(by, homeOf(project), params.robot, body.disabled),
    ),
    on(contract.adoptRobot, async ({ by, params, project }) =>
      view(await robots.adopt(by, homeOf(project), params.robot)),
    ),
    on(contract.deleteRobot, async ({ by, params, project }) => robots.remove(by, homeOf(project), params.robot)),
  ];
}

function view({ createdAt, expiresAt, lastUsedAt, secrets, scopes, ...robot }: Robot): contract.Robot {
  return {
    ...robot,
    scopes: scopes.map(({ project, permissions }) => ({ project, permissions: [...permissions] })),
    createdAt: time(createdAt),
    ...(expiresAt === undefined ? {} : { expiresAt: time(expiresAt) }),
    ...(lastUsedAt === undefined ? {} : { lastUsedAt: time(lastUsedAt) }),
    secrets: secrets.map((secret) => ({
      createdAt: time(secret.createdAt),
      ...(secret.endsAt === undefined ? {} : { endsAt: time(secret.endsAt) }),
    })),
  };
}

function issued({ robot, secret }: IssuedRobot) {
  return { ...view(robot), secret };
}
