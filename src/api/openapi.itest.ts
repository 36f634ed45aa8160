import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from './world.testing.ts';

interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly requestBody?: { readonly content: Record<string, unknown> };
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
}

let api: TestApi;
let document: { readonly openapi: string; readonly paths: Record<string, Record<string, Operation>> };
beforeAll(async () => {
  api = await startApi('sqlite');
  document = (await api.call('GET', '/openapi.json')).json as never;
});
afterAll(() => api.close());

function operations(): (Operation & { readonly route: string; readonly path: string })[] {
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({
      ...operation,
      path,
      route: `${method.toUpperCase()} /api/v1${path.replace(/\{(\w+)\}/g, ':$1')}`,
    })),
  );
}

describe('the OpenAPI document', () => {
  it('is for everybody, and of version 3.1', () => {
    expect(document.openapi).toMatch(/^3\.1\./);
  });

  it('describes every route there is, and no other', () => {
    const registered = api.routes
      .filter(({ method, url }) => url !== '/api/v1/openapi.json' && method !== 'HEAD' && method !== 'OPTIONS')
      .map(({ method, url }) => `${method} ${url}`);
    expect(registered.length).toBeGreaterThan(30);
    expect(
      operations()
        .map(({ route }) => route)
        .sort(),
    ).toEqual(registered.sort());
  });

  it('names every operation once and says what it does', () => {
    const names = operations().map(({ operationId }) => operationId);
    expect(new Set(names).size).toBe(names.length);
    for (const { operationId, summary } of operations()) expect(summary, operationId).not.toBe('');
  });

  it('lists exactly the parameters of each path, as required', () => {
    for (const { path, parameters, operationId } of operations()) {
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
      const listed = parameters.filter((one) => one.in === 'path');
      expect(listed.map(({ name }) => name).sort(), operationId).toEqual(inPath.sort());
      expect(
        listed.every(({ required }) => required),
        operationId,
      ).toBe(true);
    }
  });

  it('gives errors as problem+json, and every answer with content a type', () => {
    for (const { responses, operationId } of operations()) {
      expect(Object.keys(responses['default']?.content ?? {}), operationId).toEqual(['application/problem+json']);
      const [status = ''] = Object.keys(responses).filter((one) => one !== 'default');
      expect(responses[status]?.content === undefined, operationId).toBe(status === '204');
    }
  });

  it('holds no reference that leads nowhere', () => {
    const text = JSON.stringify(document);
    for (const [, path = ''] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = path.split('/').reduce<unknown>((node, key) => (node as Record<string, unknown>)?.[key], document);
      expect(target, path).toBeDefined();
    }
  });
});
