import { EVERY_PROJECT, type ExceptionRecord, type NewException } from '../../exceptions/exception.ts';
import { EVERYWHERE, type Place } from '../../exceptions/exception-rows.ts';
import type { Grant } from '../../exceptions/narrow-request.ts';
import { defined } from '../../platform/defined.ts';
import type { BodyOf, QueryOf } from '../contract/endpoint.ts';
import * as contract from '../contract/exceptions.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

type Wanted = contract.WantedException;
type Decision = BodyOf<typeof contract.decideExceptions>;
type Listed = QueryOf<typeof contract.listExceptions>;

export function exceptionRoutes({ exceptions, verdicts }: ApiDeps): BoundEndpoint[] {
  /** Verdicts follow before the reply is sent: the next pull is decided by it. */
  async function followed(place: Place): Promise<void> {
    if (place.id === EVERY_PROJECT) await verdicts.rejudgeAll('exception');
    else await verdicts.rejudgeProject(place.id, 'exception');
  }

  async function decided(place: Place, record: ExceptionRecord): Promise<contract.RiskException> {
    await followed(place);
    return view(record);
  }

  async function decideMany(by: Parameters<typeof exceptions.decideMany>[0], place: Place, body: Decision) {
    const { ids, decision, reason, until } = body;
    const records = await exceptions.decideMany(by, place, ids, {
      to: decision === 'grant' ? 'granted' : 'denied',
      reason,
      ...(until === undefined ? {} : { until: Date.parse(until) }),
    });
    if (decision === 'grant') await followed(place);
    return { items: records.map(view) };
  }

  async function list(place: Place, { limit, after, ...query }: Listed) {
    const wanted = { projectId: place.id, limit: limit + 1, ...defined(query) };
    const found = await exceptions.list(after === undefined ? wanted : { ...wanted, after: readPlace(after) });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return {
      items: items.map(view),
      ...(found.length > limit && last ? { next: `${last.requestedAt} ${last.id}` } : {}),
    };
  }

  return [
    on(contract.requestException, async ({ by, body, project }) =>
      view(await exceptions.request(by, project, wantedOf(body))),
    ),
    on(contract.requestExceptions, async ({ by, body, project }) => ({
      items: (await exceptions.requestMany(by, project, body.exceptions.map(wantedOf))).map(view),
    })),
    on(contract.listExceptions, ({ project, query }) => list(project, query)),
    on(contract.getException, async ({ params, project }) => view(await exceptions.get(project, params.id))),
    on(contract.editException, async ({ by, params, body, project }) =>
      view(await exceptions.edit(by, project, params.id, changesOf(body))),
    ),
    on(contract.renewException, async ({ by, params, body, project }) =>
      view(await exceptions.renew(by, project, params.id, renewalOf(body))),
    ),
    on(contract.grantException, async ({ by, params, body, project }) =>
      decided(project, await exceptions.grant(by, project, params.id, grantOf(body))),
    ),
    on(contract.denyException, async ({ by, params, body, project }) =>
      view(await exceptions.deny(by, project, params.id, body.reason)),
    ),
    on(contract.decideExceptions, ({ by, body, project }) => decideMany(by, project, body)),
    on(contract.revokeException, async ({ by, params, body, project }) =>
      decided(project, await exceptions.revoke(by, project, params.id, body.reason)),
    ),
    on(contract.requestExceptionEverywhere, async ({ by, body }) =>
      view(await exceptions.request(by, EVERYWHERE, wantedOf(body))),
    ),
    on(contract.requestExceptionsEverywhere, async ({ by, body }) => ({
      items: (await exceptions.requestMany(by, EVERYWHERE, body.exceptions.map(wantedOf))).map(view),
    })),
    on(contract.listExceptionsEverywhere, ({ query }) => list(EVERYWHERE, query)),
    on(contract.getExceptionEverywhere, async ({ params }) => view(await exceptions.get(EVERYWHERE, params.id))),
    on(contract.editExceptionEverywhere, async ({ by, params, body }) =>
      view(await exceptions.edit(by, EVERYWHERE, params.id, changesOf(body))),
    ),
    on(contract.renewExceptionEverywhere, async ({ by, params, body }) =>
      view(await exceptions.renew(by, EVERYWHERE, params.id, renewalOf(body))),
    ),
    on(contract.grantExceptionEverywhere, async ({ by, params, body }) =>
      decided(EVERYWHERE, await exceptions.grant(by, EVERYWHERE, params.id, grantOf(body))),
    ),
    on(contract.denyExceptionEverywhere, async ({ by, params, body }) =>
      view(await exceptions.deny(by, EVERYWHERE, params.id, body.reason)),
    ),
    on(contract.decideExceptionsEverywhere, ({ by, body }) => decideMany(by, EVERYWHERE, body)),
    on(contract.revokeExceptionEverywhere, async ({ by, params, body }) =>
      decided(EVERYWHERE, await exceptions.revoke(by, EVERYWHERE, params.id, body.reason)),
    ),
  ];
}

function wantedOf({ until, ...wanted }: Wanted): NewException {
  return { ...defined(wanted), until: Date.parse(until) };
}

function changesOf({ until, ...changes }: BodyOf<typeof contract.editException>): Partial<NewException> {
  return { ...defined(changes), ...(until === undefined ? {} : { until: Date.parse(until) }) };
}

function renewalOf({ reason, until, ticket }: BodyOf<typeof contract.renewException>) {
  return { reason, until: Date.parse(until), ...(ticket === undefined ? {} : { ticket }) };
}

function grantOf({ until, narrower, ...grant }: BodyOf<typeof contract.grantException>): Grant {
  return {
    ...defined(grant),
    ...(until === undefined ? {} : { until: Date.parse(until) }),
    ...(narrower === undefined ? {} : { narrower: defined(narrower) }),
  };
}

function readPlace(text: string): Pick<ExceptionRecord, 'requestedAt' | 'id'> {
  const [, moment, id] = /^(\d{1,15}) (\S{1,64})$/.exec(text) ?? [];
  if (moment === undefined || id === undefined)
    throw new ApiError(
      'request_invalid',
      'after: not what an answer gave as the next page; leave it out to begin anew',
    );
  return { requestedAt: Number(moment), id };
}

function view(record: ExceptionRecord): contract.RiskException {
  const { projectId, until, requestedAt, decidedAt, validFrom, lifeFrom, requesters, ...same } = record;
  return {
    ...same,
    requesters: [...requesters],
    ...(projectId === EVERY_PROJECT ? { everywhere: true } : {}),
    until: time(until),
    requestedAt: time(requestedAt),
    ...(lifeFrom === undefined ? {} : { lifeFrom: time(lifeFrom) }),
    ...(decidedAt === undefined ? {} : { decidedAt: time(decidedAt) }),
    ...(validFrom === undefined ? {} : { validFrom: time(validFrom) }),
  };
}
