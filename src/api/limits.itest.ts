import { afterAll, beforeAll, expect, it } from 'vitest';
import { createRateLimits } from '../auth/rate-limits.ts';
import { fixedClock } from '../platform/clock.ts';
import { startApi, type TestApi } from './world.testing.ts';

const settings = { limitPulls: 0, limitWrites: 0, limitApi: 3, limitAnonymous: 2 };
let api: TestApi;
beforeAll(async () => {
  api = await startApi('sqlite', { limits: createRateLimits({ clock: fixedClock(0) }, settings) });
});
afterAll(() => api.close());

it('refuses who asks too much with a problem that says when to come back', async () => {
  const statuses = async (as?: string) => {
    const found = [];
    for (let times = 0; times < 4; times += 1)
      found.push((await api.call('GET', '/projects', as === undefined ? {} : { as })).status);
    return found;
  };
  expect(await statuses('eva')).toEqual([200, 200, 200, 429]);
  expect(await statuses()).toEqual([200, 200, 429, 429]);
  const reply = await api.call('POST', '/projects', { as: 'eva', body: {} });
  expect(reply.headers['retry-after']).toBe('20');
  expect(reply.json).toMatchObject({
    status: 429,
    code: 'throttled',
    detail: 'too many calls of the management API of eva: at most 3 a minute; come back in 20 s',
  });
  expect((await api.call('GET', '/projects', { as: 'dev' })).status).toBe(200);
});
