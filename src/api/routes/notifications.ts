import type { MessageView } from '../../notify/message-list.ts';
import type { ReceiverView } from '../../notify/receiver-store.ts';
import * as contract from '../contract/notifications.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, homeOf, on, time } from '../handler.ts';

export function notificationRoutes({ notifications }: ApiDeps): BoundEndpoint[] {
  const { receivers, messages } = notifications;
  return [
    on(contract.addReceiver, async ({ by, project, body }) => {
      const home = homeOf(project);
      const { receiver, secret } = await receivers.add(by, home, body);
      return { ...view(receiver, home), ...(secret === undefined ? {} : { secret }) };
    }),
    on(contract.listReceivers, async ({ project }) => {
      const home = homeOf(project);
      return { items: (await receivers.list(home)).map((one) => view(one, home)) };
    }),
    on(contract.getReceiver, async ({ params, project }) => {
      const home = homeOf(project);
      return view(await receivers.get(home, params.receiver), home);
    }),
    on(contract.removeReceiver, async ({ by, params, project }) =>
      receivers.remove(by, homeOf(project), params.receiver),
    ),
    on(contract.testReceiver, async ({ by, params, project }) => {
      const outcome = await notifications.test(by, homeOf(project), params.receiver);
      return outcome.kind === 'failed' ? { delivered: false, error: outcome.error } : { delivered: true };
    }),
    on(contract.setReceiverPaused, async ({ by, params, project, body }) => {
      const home = homeOf(project);
      return view(await receivers.setPaused(by, home, params.receiver, body.paused), home);
    }),
    on(contract.rotateReceiver, async ({ by, params, project, body }) => {
      const home = homeOf(project);
      const { receiver, secret } = await receivers.rotate(by, home, params.receiver, body.overlapHours);
      return { ...view(receiver, home), secret };
    }),
    on(contract.listMessages, async ({ params, project, query: { limit, after, state } }) => {
      const before = positionOf(after);
      const found = await messages.list(homeOf(project), params.receiver, {
        limit,
        ...(before === undefined ? {} : { before }),
        ...(state === undefined ? {} : { state }),
      });
      const last = found.at(-1);
      return {
        items: found.map(viewMessage),
        ...(last && found.length === limit ? { next: String(last.sequence) } : {}),
      };
    }),
    on(contract.listChanges, async ({ params, project, query: { limit, after } }) => {
      const position = positionOf(after);
      const { items, next } = await messages.changes(homeOf(project), params.receiver, params.message, {
        limit,
        ...(position === undefined ? {} : { after: position }),
      });
      return { items: [...items], ...(next === undefined ? {} : { next: String(next) }) };
    }),
    on(contract.resendMessages, async ({ by, params, project, body }) => ({
      messages: await messages.resend(by, homeOf(project), params.receiver, body.message),
    })),
  ];
}

function positionOf(after: string | undefined): number | undefined {
  if (after === undefined) return undefined;
  const position = Number(after);
  if (!/^\d{1,15}$/.test(after)) throw new ApiError('request_invalid', 'after: give the "next" of the page before');
  return position;
}

function view(
  { createdAt, retryAt, lastDeliveredAt, secrets, ...receiver }: ReceiverView,
  home: { readonly name: string } | undefined,
): contract.ReceiverReply {
  return {
    ...receiver,
    ...(home ? { project: home.name } : {}),
    createdAt: time(createdAt),
    ...(retryAt === undefined ? {} : { retryAt: time(retryAt) }),
    ...(lastDeliveredAt === undefined ? {} : { lastDeliveredAt: time(lastDeliveredAt) }),
    secrets: secrets.map((secret) => ({
      createdAt: time(secret.createdAt),
      ...(secret.endsAt === undefined ? {} : { endsAt: time(secret.endsAt) }),
    })),
  };
}

function viewMessage({ at, nextAt, settledAt, ...message }: MessageView): contract.MessageReply {
  return {
    ...message,
    at: time(at),
    ...(nextAt === undefined ? {} : { nextAt: time(nextAt) }),
    ...(settledAt === undefined ? {} : { settledAt: time(settledAt) }),
  };
}
