import type { ExceptionRecord } from '../../exceptions/exception.ts';
import * as contract from '../contract/exceptions.ts';
import type { ApiDeps } from '../deps.ts';
import { type BoundEndpoint, on, time } from '../handler.ts';

export function exceptionRoutes({ exceptions, verdicts }: ApiDeps): BoundEndpoint[] {
  /** Verdicts follow before the reply is sent: the next pull is decided by it. */
  async function decided(record: ExceptionRecord): Promise<contract.RiskException> {
    await verdicts.rejudgeProject(record.projectId, 'exception');
    return view(record);
  }

  return [
    on(contract.requestException, async ({ by, body, project }) => {
      const { until, ...wanted } = body;
      return view(
        await exceptions.request(by, project, {
          ...(wanted as Omit<ExceptionRecord, 'until'>),
          until: Date.parse(until),
        }),
      );
    }),
    on(contract.listExceptions, async ({ project }) => ({
      items: (await exceptions.list({ projectId: project.id })).map(view),
    })),
    on(contract.grantException, async ({ by, params, body, project }) => {
      const until = body.until === undefined ? {} : { until: Date.parse(body.until) };
      return decided(await exceptions.grant(by, project, params.id, { reason: body.reason, ...until }));
    }),
    on(contract.denyException, async ({ by, params, body, project }) =>
      view(await exceptions.deny(by, project, params.id, body.reason)),
    ),
    on(contract.revokeException, async ({ by, params, body, project }) =>
      decided(await exceptions.revoke(by, project, params.id, body.reason)),
    ),
  ];
}

function view(record: ExceptionRecord): contract.RiskException {
  const { projectId: _, until, requestedAt, decidedAt, validFrom, ...same } = record;
  return {
    ...same,
    until: time(until),
    requestedAt: time(requestedAt),
    ...(decidedAt === undefined ? {} : { decidedAt: time(decidedAt) }),
    ...(validFrom === undefined ? {} : { validFrom: time(validFrom) }),
  };
}
