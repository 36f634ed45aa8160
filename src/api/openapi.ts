import { z } from 'zod';
import { problem } from './contract/common.ts';
import type { AnyEndpoint } from './contract/endpoint.ts';

/** OpenAPI 3.1 of these endpoints. */
export function openApi(endpoints: readonly AnyEndpoint[], version: string): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const endpoint of endpoints) (paths[endpoint.path] ??= {})[endpoint.method.toLowerCase()] = operation(endpoint);
  return {
    openapi: '3.1.0',
    info: { title: 'Breakwater management API', version },
    servers: [{ url: '/api/v1' }],
    security: [{ basic: [] }, {}],
    components: {
      securitySchemes: { basic: { type: 'http', scheme: 'basic' } },
      schemas: { Problem: z.toJSONSchema(problem) },
    },
    paths,
  };
}

function operation(endpoint: AnyEndpoint): object {
  const { id, summary, permission, status } = endpoint;
  const reply = contentOf(endpoint);
  return {
    operationId: id,
    summary,
    'x-permission': permission,
    parameters: [...parameters(endpoint.params, 'path'), ...parameters(endpoint.query, 'query')],
    ...(endpoint.method === 'GET' || endpoint.method === 'DELETE' ? {} : { requestBody: requestBody(endpoint) }),
    responses: {
      [status]: { description: 'Done', ...(reply ? { content: reply } : {}) },
      default: {
        description: 'An error',
        content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    },
  };
}

function requestBody(endpoint: AnyEndpoint): object {
  if (endpoint.sends === 'stream') return { content: { 'application/octet-stream': {} } };
  return { content: { 'application/json': { schema: schemaOf(endpoint.body, 'input') } } };
}

function contentOf(endpoint: AnyEndpoint): object | undefined {
  if (endpoint.status === 204) return undefined;
  if (endpoint.gives === 'text') return { 'application/yaml': { schema: { type: 'string' } } };
  if (endpoint.gives === 'download') return { 'application/json': {}, 'text/html': {} };
  return { 'application/json': { schema: schemaOf(endpoint.reply, 'output') } };
}

function parameters(schema: z.ZodType, place: 'path' | 'query'): object[] {
  const object = schemaOf(schema, 'input') as { properties?: Record<string, object>; required?: readonly string[] };
  return Object.entries(object.properties ?? {}).map(([name, value]) => ({
    name,
    in: place,
    required: place === 'path' || (object.required ?? []).includes(name),
    schema: value,
  }));
}

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): object {
  return z.toJSONSchema(schema, { io, unrepresentable: 'any' });
}
