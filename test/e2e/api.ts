import { request } from 'undici';
import type { Stage } from './stage.ts';

/** One answer of the management API. */
export interface Answer {
  readonly status: number;
  readonly value: unknown;
}

/** Calls `/api/v1` of the stage's server as the administrator, not shown on the screen. */
export async function api(stage: Stage, method: 'GET' | 'POST', path: string, body?: object): Promise<Answer> {
  const reply = await request(`${stage.server().url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Basic ${Buffer.from(`admin:${stage.adminPassword}`).toString('base64')}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    body: body === undefined ? null : JSON.stringify(body),
  });
  const text = await reply.body.text();
  return { status: reply.statusCode, value: text === '' ? undefined : (JSON.parse(text) as unknown) };
}
