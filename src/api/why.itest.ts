import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { ALPINE, advisoriesOf, DAY, NOW } from '../verdicts/world.testing.ts';
import { explainedImage } from './contract/why.ts';
import { startApi, type TestApi } from './world.testing.ts';

const facts = advisoriesOf({
  [`${ALPINE}/musl`]: [{ id: 'CVE-2019-14697', fixed: '1.2.6-r0', severity: 'critical' }],
  [`${ALPINE}/zlib`]: [{ id: 'CVE-2018-25032', severity: 'high' }],
});
const LAYERS = [{ distribution: '3.23.3', packages: ['musl@1.2.5-r0', 'zlib@1.2.11-r0'] }];

describe.each(ENGINES)('why, on %s', (engine) => {
  let api: TestApi;
  beforeAll(async () => {
    api = await startApi(engine);
    api.world.state.advisories = facts;
    await api.call('PATCH', '/projects/front', { as: 'lead', body: { block: 'high', reason: 'we are strict' } });
    await api.world.push('front/app', LAYERS, '1.0');
  });
  afterAll(() => api.close());

  async function why(image: string, as = 'dev') {
    const { status, json } = await api.call('GET', `/why?image=${encodeURIComponent(image)}`, { as });
    return { status, json };
  }

  it('says what counts, by which rules, who set them, and what unblocks', async () => {
    const { status, json } = await why('front/app:1.0');
    expect(status).toBe(200);
    expect(explainedImage.parse(json)).toEqual(json);
    expect(json).toMatchObject({
      kind: 'block',
      sentence: expect.stringMatching(/^blocked: CVE-2019-14697 in musl 1\.2\.5-r0 \(fixed in 1\.2\.6-r0\)/),
      counting: 2,
      images: [
        {
          plans: [
            {
              after: 'allow',
              parts: [
                { kind: 'upgrade', package: 'musl', installed: '1.2.5-r0', to: '1.2.6-r0' },
                { kind: 'exception', vulnerability: 'CVE-2018-25032', package: 'zlib' },
              ],
            },
            { parts: [{ kind: 'exception' }, { kind: 'exception' }] },
          ],
        },
      ],
    });
    expect(json['policy']).toMatchObject({
      rules: expect.arrayContaining([
        expect.objectContaining({
          field: 'block.fixable',
          value: 'high',
          origin: 'project',
          set: expect.objectContaining({ author: 'lead', reason: 'we are strict' }),
        }),
      ]),
    });
  });

  it('gives requests that can be made as they are, and says who granted what holds then', async () => {
    const { json } = await why('front/app:1.0');
    const { parts, requests } = explainedImage.parse(json).images[0]?.plans[1] ?? { parts: [], requests: [] };
    for (const part of parts) {
      if (part.kind !== 'exception') throw new Error('an exception was expected');
      const { vulnerability, package: name, repository, until } = part;
      expect(requests).toContain(
        `breakwater exception request front/app:1.0 ${vulnerability} --package ${name} --until ${until} --reason "…"`,
      );
      const asked = await api.call('POST', '/projects/front/exceptions', {
        as: 'dev',
        body: { vulnerability, package: name, repository, until: `${until}T23:59:59Z`, reason: 'being looked at' },
      });
      expect(asked.status, asked.text).toBe(201);
      const granted = await api.call('POST', `/projects/front/exceptions/${String(asked.json['id'])}/grant`, {
        as: 'lead',
        body: { reason: 'for now' },
      });
      expect(granted.status, granted.text).toBe(200);
    }
    const then = (await why('front/app:1.0')).json;
    expect(then).toMatchObject({ kind: 'allow', images: [{ plans: [], obstacles: [] }] });
    const { exceptions, deadlines } = explainedImage.parse(then);
    expect(exceptions.map(({ requestedBy, decidedBy }) => [requestedBy, decidedBy])).toEqual([
      ['dev', 'lead'],
      ['dev', 'lead'],
    ]);
    expect(deadlines[0]).toMatchObject({ what: 'exception-ends' });
    expect(Date.parse(deadlines[0]?.at ?? '')).toBeLessThanOrEqual(NOW + 30 * DAY);
  });

  it('says which image is not there, and hides what is not to be seen', async () => {
    expect(await why('front/none:1')).toMatchObject({
      status: 404,
      json: { detail: expect.stringContaining('front/none:1') },
    });
    expect((await why('back/app:1')).status).toBe(404);
  });
});
