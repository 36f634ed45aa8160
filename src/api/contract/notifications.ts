import { z } from 'zod';
import { EVENT_DATA } from '../../notify/event-data.ts';
import { MESSAGE_STATES } from '../../notify/message-list.ts';
import { RECEIVER_KINDS, receiverSettings, receiverTarget } from '../../notify/receiver.ts';
import { listOf, moment, name, overlapHours, page } from './common.ts';
import { endpoint } from './endpoint.ts';

/** Absent: receivers of the installation, for administrators only. */
const home = z.object({ project: name.optional() }).strict();
const ofProject = {
  insteadOfEverywhere: 'a receiver belongs to the installation or to a project: name the project (--project NAME)',
};
const one = z.object({ receiver: name }).strict();
const oneMessage = z.object({ receiver: name, message: name }).strict();

export const receiver = z.object({
  name: z.string(),
  project: z.string().optional(),
  kind: z.enum(RECEIVER_KINDS),
  /** As far as it is no secret. */
  address: z.string(),
  settings: receiverSettings,
  paused: z.boolean(),
  createdBy: z.string(),
  createdAt: moment,
  /** Failed since the last one that arrived. */
  failures: z.int(),
  retryAt: moment.optional(),
  lastDeliveredAt: moment.optional(),
  lastError: z.string().optional(),
  waiting: z.int(),
  dead: z.int(),
  /** Those that sign now: two during a rotation. */
  secrets: z.array(z.object({ createdAt: moment, endsAt: moment.optional() })),
});
export type ReceiverReply = z.infer<typeof receiver>;

const message = z.object({
  id: z.string(),
  sequence: z.int(),
  type: z.string(),
  subject: z.string(),
  at: moment,
  state: z.enum(MESSAGE_STATES),
  attempts: z.int(),
  nextAt: moment.optional(),
  settledAt: moment.optional(),
  lastError: z.string().optional(),
});
export type MessageReply = z.infer<typeof message>;

const change = z.union([
  EVENT_DATA.VERDICT_CHANGED.shape.changes.element,
  EVENT_DATA.GRACE_ENDING.shape.images.element,
]);

export const addReceiver = endpoint(
  'addReceiver',
  'POST /receivers',
  'notify:manage',
  'Tell somebody of what happens',
  {
    ...ofProject,
    query: home,
    body: z
      .object({ name, kind: z.enum(RECEIVER_KINDS), target: receiverTarget, settings: receiverSettings.default({}) })
      .strict(),
    /** The secret is in no other reply. */
    reply: receiver.extend({ secret: z.string().optional() }),
    status: 201,
  },
);
export const listReceivers = endpoint(
  'listReceivers',
  'GET /receivers',
  'notify:manage',
  'Who is told, of a project or of the installation',
  { ...ofProject, query: home, reply: listOf(receiver) },
);
export const getReceiver = endpoint('getReceiver', 'GET /receivers/{receiver}', 'notify:manage', 'One receiver', {
  ...ofProject,
  params: one,
  query: home,
  reply: receiver,
});
export const removeReceiver = endpoint(
  'removeReceiver',
  'DELETE /receivers/{receiver}',
  'notify:manage',
  'Tell somebody nothing any more',
  { ...ofProject, params: one, query: home },
);
export const testReceiver = endpoint(
  'testReceiver',
  'POST /receivers/{receiver}/test',
  'notify:manage',
  'Send a message now and see what becomes of it',
  { ...ofProject, params: one, query: home, reply: z.object({ delivered: z.boolean(), error: z.string().optional() }) },
);
export const setReceiverPaused = endpoint(
  'setReceiverPaused',
  'PUT /receivers/{receiver}/paused',
  'notify:manage',
  'Hold back what is for a receiver, or let it go',
  { ...ofProject, params: one, query: home, body: z.object({ paused: z.boolean() }).strict(), reply: receiver },
);
export const rotateReceiver = endpoint(
  'rotateReceiver',
  'POST /receivers/{receiver}/rotate',
  'notify:manage',
  'Give a receiver a second secret; the first one signs a while longer',
  {
    ...ofProject,
    params: one,
    query: home,
    body: z
      .object({
        overlapHours: overlapHours.optional(),
      })
      .strict(),
    reply: receiver.extend({ secret: z.string() }),
  },
);
export const listMessages = endpoint(
  'listMessages',
  'GET /receivers/{receiver}/messages',
  'notify:read',
  'What a receiver was sent and what became of it, the newest first',
  {
    ...ofProject,
    params: one,
    query: page.extend({ ...home.shape, state: z.enum(MESSAGE_STATES).optional() }),
    reply: listOf(message),
  },
);
export const listChanges = endpoint(
  'listChanges',
  'GET /receivers/{receiver}/messages/{message}/changes',
  'notify:read',
  'Everything that one message sums up',
  { ...ofProject, params: oneMessage, query: page.extend(home.shape), reply: listOf(change) },
);
export const resendMessages = endpoint(
  'resendMessages',
  'POST /receivers/{receiver}/resend',
  'notify:manage',
  'Send one message again, or all that were given up',
  {
    ...ofProject,
    params: one,
    query: home,
    body: z.object({ message: name.optional() }).strict(),
    reply: z.object({ messages: z.int() }),
  },
);
