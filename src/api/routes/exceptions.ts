import { EVERY_PROJECT, type ExceptionRecord, type NewException } from '../../exceptions/exception.ts';
import type { Place } from '../../exceptions/exception-rows.ts';
import type { Grant } from '../../exceptions/narrow-request.ts';
import { defined } from '../../platform/defined.ts';
import type { AnyEndpoint, BodyOf, QueryOf } from '../contract/endpoint.ts';
import * as contract from '../contract/exceptions.ts';
import type { ApiDeps } from '../deps.ts';
import { ApiError } from '../errors.ts';
import { type BoundEndpoint, type Call, on, time } from '../handler.ts';

/** What a call says, in a project or in all of them: without one its place is every project. */
type Said<E extends AnyEndpoint> = Pick<Call<E>, 'by' | 'query' | 'body' | 'project'>;
/** The same about one exception. */
type SaidOfOne<E extends AnyEndpoint> = Said<E> & Pick<Call<E>, 'params'>;

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
    const { ids, decision, reason, until, revisions } = body;
    const records = await exceptions.decideMany(by, place, ids, {
      to: decision === 'grant' ? 'granted' : 'denied',
      reason,
      ...(until === undefined ? {} : { until: Date.parse(until) }),
      ...(revisions === undefined ? {} : { revisions: new Map(Object.entries(revisions)) }),
    });
    if (decision === 'grant') await followed(place);
    return { items: records.map(view) };
  }

  async function listed(place: Place, { limit, after, ...query }: Listed) {
    const wanted = { projectId: place.id, limit: limit + 1, ...defined(query) };
    const found = await exceptions.list(after === undefined ? wanted : { ...wanted, after: readPlace(after) });
    const items = found.slice(0, limit);
    const last = items.at(-1);
    return {
      items: items.map(view),
      ...(found.length > limit && last ? { next: `${last.requestedAt} ${last.id}` } : {}),
    };
  }

  const request = async ({ by, body, project }: Said<typeof contract.requestExceptionEverywhere>) =>
    view(await exceptions.request(by, project, wantedOf(body)));
  const requestMany = async ({ by, body, project }: Said<typeof contract.requestExceptionsEverywhere>) => ({
    items: (await exceptions.requestMany(by, project, body.exceptions.map(wantedOf))).map(view),
  });
  const list = ({ project, query }: Said<typeof contract.listExceptionsEverywhere>) => listed(project, query);
  const get = async ({ params, project }: SaidOfOne<typeof contract.getExceptionEverywhere>) =>
    view(await exceptions.get(project, params.id));
  const edit = async ({ by, params, body, project }: SaidOfOne<typeof contract.editExceptionEverywhere>) =>
    view(await exceptions.edit(by, project, params.id, changesOf(body)));
  const renew = async ({ by, params, body, project }: SaidOfOne<typeof contract.renewExceptionEverywhere>) =>
    view(await exceptions.renew(by, project, params.id, renewalOf(body)));
  const grant = async ({ by, params, body, project }: SaidOfOne<typeof contract.grantExceptionEverywhere>) =>
    decided(project, await exceptions.grant(by, project, params.id, grantOf(body)));
  const deny = async ({ by, params, body, project }: SaidOfOne<typeof contract.denyExceptionEverywhere>) =>
    view(await exceptions.deny(by, project, params.id, { ...defined(body), reason: body.reason }));
  const decide = ({ by, body, project }: Said<typeof contract.decideExceptionsEverywhere>) =>
    decideMany(by, project, body);
  const revoke = async ({ by, params, body, project }: SaidOfOne<typeof contract.revokeExceptionEverywhere>) =>
    decided(project, await exceptions.revoke(by, project, params.id, body.reason));

  return [
    on(contract.requestException, request),
    on(contract.requestExceptions, requestMany),
    on(contract.listExceptions, list),
    on(contract.getException, get),
    on(contract.editException, edit),
    on(contract.renewException, renew),
    on(contract.grantException, grant),
    on(contract.denyException, deny),
    on(contract.decideExceptions, decide),
    on(contract.revokeException, revoke),
    on(contract.requestExceptionEverywhere, request),
    on(contract.requestExceptionsEverywhere, requestMany),
    on(contract.listExceptionsEverywhere, list),
    on(contract.getExceptionEverywhere, get),
    on(contract.editExceptionEverywhere, edit),
    on(contract.renewExceptionEverywhere, renew),
    on(contract.grantExceptionEverywhere, grant),
    on(contract.denyExceptionEverywhere, deny),
    on(contract.decideExceptionsEverywhere, decide),
    on(contract.revokeExceptionEverywhere, revoke),
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
