import { z } from 'zod';
import { listOf, moment, name } from './common.ts';
import { endpoint } from './endpoint.ts';

export const user = z.object({
  name: z.string(),
  admin: z.boolean(),
  disabled: z.boolean(),
  /** The account that stands for the person, where several are of one. */
  person: z.string().optional(),
  createdAt: moment,
});
const password = z.string().min(1).max(1024);
const one = z.object({ name }).strict();

export const whoAmI = endpoint('whoAmI', 'GET /users/current', 'project:list', 'Who you are', {
  reply: z.object({
    name: z.string(),
    admin: z.boolean(),
    anonymous: z.boolean(),
    /** The person who answers for a robot. */
    owner: z.string().optional(),
  }),
});
export const createUser = endpoint('createUser', 'POST /users', 'user:manage', 'Create a user', {
  body: z.object({ name, password, admin: z.boolean().default(false) }).strict(),
  reply: user,
  status: 201,
});
export const listUsers = endpoint('listUsers', 'GET /users', 'user:manage', 'All users', { reply: listOf(user) });
export const setPassword = endpoint('setPassword', 'PUT /users/{name}/password', 'user:manage', 'Set a password', {
  params: one,
  body: z.object({ password }).strict(),
});
export const changePassword = endpoint(
  'changePassword',
  'PUT /users/current/password',
  'password:change',
  'Change your own password; every token given out before ends',
  { body: z.object({ password }).strict() },
);
export const setDisabled = endpoint(
  'setDisabled',
  'PUT /users/{name}/disabled',
  'user:manage',
  'Disable or enable a user',
  {
    params: one,
    body: z.object({ disabled: z.boolean() }).strict(),
  },
);
export const linkUser = endpoint(
  'linkUser',
  'PUT /users/{name}/person',
  'user:manage',
  'Say that two accounts are of one person: they count as one wherever two people are needed',
  { params: one, body: z.object({ sameAs: name }).strict() },
);
export const unlinkUser = endpoint(
  'unlinkUser',
  'DELETE /users/{name}/person',
  'user:manage',
  'Say that an account is of a person of its own again',
  { params: one },
);
