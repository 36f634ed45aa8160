import { nameOf } from '../../auth/principal.ts';
import type { User } from '../../auth/user-store.ts';
import * as contract from '../contract/users.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function userRoutes({ users }: ApiDeps): BoundEndpoint[] {
  return [
    on(contract.whoAmI, async ({ by }) => ({
      name: nameOf(by),
      admin: by.kind === 'user' && by.admin,
      anonymous: by.kind === 'anonymous',
      ...(by.kind === 'robot' ? { owner: by.owner.name } : {}),
    })),
    on(contract.createUser, async ({ by, body }) => view(await users.create(by, body))),
    on(contract.listUsers, async () => ({ items: (await users.list()).map(view) })),
    on(contract.setPassword, async ({ by, params, body }) => users.setPassword(by, params.name, body.password)),
    on(contract.changePassword, async ({ by, body }) => users.setPassword(by, nameOf(by), body.password)),
    on(contract.setDisabled, async ({ by, params, body }) =>
      body.disabled ? users.disable(by, params.name) : users.enable(by, params.name),
    ),
    on(contract.linkUser, async ({ by, params, body }) => users.link(by, params.name, body.sameAs)),
    on(contract.unlinkUser, async ({ by, params }) => users.unlink(by, params.name)),
  ];
}

function view({ createdAt, id: _id, ...user }: User) {
  return { ...user, createdAt: time(createdAt) };
}
