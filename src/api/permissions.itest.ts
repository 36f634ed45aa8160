import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isAllowed, type ProjectAccess } from '../auth/permissions.ts';
import { ANONYMOUS, type Principal } from '../auth/principal.ts';
import type { AnyEndpoint } from './contract/endpoint.ts';
import { ENDPOINTS } from './contract/index.ts';
import { ROLES, startApi, type TestApi } from './world.testing.ts';

const CALLERS = ['nobody', 'eva', 'guest', 'dev', 'lead', 'admin'] as const;
type Caller = (typeof CALLERS)[number];

let api: TestApi;
beforeAll(async () => {
  api = await startApi('sqlite');
});
afterAll(() => api.close());

/** A path that passes the checks of form, in the private project `front`. */
function pathOf(endpoint: AnyEndpoint): string {
  const path = endpoint.path.replace('{project}', 'front').replace(/\{\w+\}/g, 'none');
  switch (endpoint.id) {
    case 'getVerdict':
    case 'verdictHistory':
    case 'getSbom':
    case 'explainImage':
      return `${path}?image=front/app:1`;
    case 'explainVex':
      return `${path}?image=front/app:1&vulnerability=CVE-1`;
    case 'listManifests':
      return `${path}?repository=front/app`;
    case 'exportEvidence':
      return `${path}?from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z`;
    case 'measureSource':
      return `${path}?entry=registry.example.com`;
    default:
      return path;
  }
}

function concernsProject(endpoint: AnyEndpoint): boolean {
  return endpoint.path.includes('{project}') || endpoint.permission === 'verdict:read';
}

function principalOf(caller: Caller): Principal {
  return caller === 'nobody' ? ANONYMOUS : { kind: 'user', id: caller, name: caller, admin: caller === 'admin' };
}

/** What the table of permissions says; `undefined` when the call may be made. */
function refusal(endpoint: AnyEndpoint, caller: Caller): { status: number; code: string } | undefined {
  const role = ROLES[caller];
  const front: ProjectAccess = { public: false, ...(role ? { role } : {}) };
  const project = concernsProject(endpoint) ? front : undefined;
  if (isAllowed(principalOf(caller), endpoint.permission, project)) return undefined;
  if (caller === 'nobody') return { status: 401, code: 'unauthenticated' };
  const hidden = project !== undefined && !isAllowed(principalOf(caller), 'project:read', project);
  return hidden ? { status: 404, code: 'project_unknown' } : { status: 403, code: 'denied' };
}

const cases = ENDPOINTS.flatMap((endpoint) => CALLERS.map((caller) => ({ endpoint, caller, id: endpoint.id })));

describe('permissions of the management API', () => {
  it('refuses something to everybody but administrators', () => {
    for (const caller of CALLERS)
      expect(
        cases.some((one) => one.caller === caller && refusal(one.endpoint, caller) !== undefined),
        caller,
      ).toBe(caller !== 'admin');
  });

  it.each(cases.filter(({ endpoint, caller }) => refusal(endpoint, caller)))(
    '$id refuses $caller',
    async ({ endpoint, caller }) => {
      const reply = await api.call(endpoint.method, pathOf(endpoint), caller === 'nobody' ? {} : { as: caller });
      expect(reply.json).toMatchObject(refusal(endpoint, caller) ?? {});
      expect(reply.status).toBe(refusal(endpoint, caller)?.status);
      expect(reply.headers['content-type']).toContain('application/problem+json');
      // Clients ask for a password when, and only when, one would help.
      expect(reply.headers['www-authenticate'] !== undefined).toBe(reply.status === 401);
    },
  );

  // Without a body most calls that change something fail afterwards, on their form; what matters here is: not on rights.
  it.each(cases.filter(({ endpoint, caller }) => !refusal(endpoint, caller) && endpoint.id !== 'deleteProject'))(
    '$id lets $caller pass',
    async ({ endpoint, caller }) => {
      const reply = await api.call(endpoint.method, pathOf(endpoint), caller === 'nobody' ? {} : { as: caller });
      expect([401, 403], reply.text).not.toContain(reply.status);
      expect(reply.json['code']).not.toBe('project_unknown');
      expect(reply.status, reply.text).not.toBe(500);
    },
  );
});
