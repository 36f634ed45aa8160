import type { BodyOf, QueryOf } from '../../api/contract/endpoint.ts';
import * as contract from '../../api/contract/exceptions.ts';
import type { ApiClient } from '../client.ts';
import type { Place } from './place.ts';

type Given<E extends typeof contract.grantException> = BodyOf<E>;
export type Narrowing = NonNullable<Given<typeof contract.grantException>['narrower']>;

const PAGE = 1000;

/** The calls about the exceptions of a place, whether it is one project or all. */
export function exceptionCalls(api: ApiClient, { project }: Place) {
  return {
    request: (body: contract.WantedException) =>
      project === undefined
        ? api.call(contract.requestExceptionEverywhere, { body })
        : api.call(contract.requestException, { params: { project }, body }),
    requestMany: (exceptions: contract.WantedException[]) =>
      project === undefined
        ? api.call(contract.requestExceptionsEverywhere, { body: { exceptions } })
        : api.call(contract.requestExceptions, { params: { project }, body: { exceptions } }),
    get: (id: string) =>
      project === undefined
        ? api.call(contract.getExceptionEverywhere, { params: { id } })
        : api.call(contract.getException, { params: { project, id } }),
    edit: (id: string, body: BodyOf<typeof contract.editException>) =>
      project === undefined
        ? api.call(contract.editExceptionEverywhere, { params: { id }, body })
        : api.call(contract.editException, { params: { project, id }, body }),
    renew: (id: string, body: BodyOf<typeof contract.renewException>) =>
      project === undefined
        ? api.call(contract.renewExceptionEverywhere, { params: { id }, body })
        : api.call(contract.renewException, { params: { project, id }, body }),
    grant: (id: string, body: BodyOf<typeof contract.grantException>) =>
      project === undefined
        ? api.call(contract.grantExceptionEverywhere, { params: { id }, body })
        : api.call(contract.grantException, { params: { project, id }, body }),
    deny: (id: string, body: BodyOf<typeof contract.denyException>) =>
      project === undefined
        ? api.call(contract.denyExceptionEverywhere, { params: { id }, body })
        : api.call(contract.denyException, { params: { project, id }, body }),
    decide: (body: BodyOf<typeof contract.decideExceptions>) =>
      project === undefined
        ? api.call(contract.decideExceptionsEverywhere, { body })
        : api.call(contract.decideExceptions, { params: { project }, body }),
    revoke: (id: string, reason: string) =>
      project === undefined
        ? api.call(contract.revokeExceptionEverywhere, { params: { id }, body: { reason } })
        : api.call(contract.revokeException, { params: { project, id }, body: { reason } }),
    /** All there are, page by page. */
    async list(
      query: Pick<QueryOf<typeof contract.listExceptions>, 'state' | 'batch'>,
    ): Promise<contract.RiskException[]> {
      const items: contract.RiskException[] = [];
      let after: string | undefined;
      do {
        const asked = { ...query, limit: PAGE, ...(after === undefined ? {} : { after }) };
        const page =
          project === undefined
            ? await api.call(contract.listExceptionsEverywhere, { query: asked })
            : await api.call(contract.listExceptions, { params: { project }, query: asked });
        items.push(...page.items);
        after = page.next;
      } while (after !== undefined);
      return items;
    },
  };
}
