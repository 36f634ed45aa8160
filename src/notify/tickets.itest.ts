import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { type NotifyWorld, notifyWorld, START, startSink, verdictEvent, verified } from './world.testing.ts';

const TEMPLATE = {
  open: {
    method: 'POST',
    path: '/issues',
    body: { title: '{{vulnerability}} in {{repository}}', text: '{{summary}}', labels: ['{{severity}}'] },
  },
  id: '/issue/key',
  update: { method: 'PUT', path: '/issues/{{ticket}}', body: { text: '{{summary}}' } },
  close: { method: 'POST', path: '/issues/{{ticket}}/close', body: { comment: '{{summary}}' } },
} as const;
const FACT = {
  vulnerability: 'CVE-2026-1',
  severity: 'high',
  packages: ['zlib 1.0'],
  fixed: ['1.1'],
  images: ['sha256:a'],
} as const;

describe.each(ENGINES)('tickets on %s', (engine) => {
  let world: NotifyWorld;
  let sink: Awaited<ReturnType<typeof startSink>>;
  let secret: string;
  beforeEach(async () => {
    world = await notifyWorld(engine);
    sink = await startSink();
    sink.answerWith((_, response) => response.end(JSON.stringify({ issue: { key: `SEC-${sink.got.length}` } })));
    secret = await world.add('jira', sink.url, { ticket: structuredClone(TEMPLATE) as never }, { kind: 'ticket' });
  });
  afterEach(async () => {
    await sink.close();
    await world.close();
  });
  async function judged(...facts: readonly (typeof world.facts)[number][]): Promise<string[]> {
    world.facts.splice(0, world.facts.length, ...facts);
    const before = sink.got.length;
    await world.tell(verdictEvent('front/app', START));
    await world.run();
    return sink.got.slice(before).map(({ method, path }) => `${method} ${path}`);
  }

  it('opens, updates and closes one for each vulnerability and repository', async () => {
    expect(await judged(FACT, { ...FACT, vulnerability: 'CVE-2026-2' })).toEqual([
      'POST /in/issues',
      'POST /in/issues',
    ]);
    expect(JSON.parse(sink.got[0]?.body ?? '')).toEqual({
      title: 'CVE-2026-1 in front/app',
      text: 'CVE-2026-1 (high) is in an image of front/app: zlib 1.0; fixed in 1.1',
      labels: ['high'],
    });
    expect(verified(sink.got[0] as never, secret)).toBeDefined();
    expect(await judged(FACT, { ...FACT, vulnerability: 'CVE-2026-2' })).toEqual([]);
    expect(await judged({ ...FACT, images: ['sha256:a', 'sha256:b'] })).toEqual([
      'PUT /in/issues/SEC-1',
      'POST /in/issues/SEC-2/close',
    ]);
    expect(await judged()).toEqual(['POST /in/issues/SEC-1/close']);
    expect(await judged()).toEqual([]);
    // It comes back: another ticket.
    expect(await judged(FACT)).toEqual(['POST /in/issues']);
  });

  it('goes on where it ended, and does not open what is open', async () => {
    let calls = 0;
    sink.answerWith((_, response) => {
      calls += 1;
      response.statusCode = calls === 2 ? 502 : 200;
      response.end(JSON.stringify({ issue: { key: `SEC-${calls}` } }));
    });
    await judged(FACT, { ...FACT, vulnerability: 'CVE-2026-2' });
    expect(calls).toBe(2);
    world.clock.advance(3_600_000);
    await world.run();
    expect(calls).toBe(3);
    const ids = sink.got.map(({ headers }) => headers['webhook-id']);
    // A repetition has the id of what it repeats.
    expect(ids[2]).toBe(ids[1]);
    expect(await judged(FACT, { ...FACT, vulnerability: 'CVE-2026-2' })).toEqual([]);
  });

  it('brings many up to date in parts, and a reply without a number is no success', async () => {
    const many = Array.from({ length: 60 }, (_, at) => ({ ...FACT, vulnerability: `CVE-2026-${1000 + at}` }));
    expect(await judged(...many)).toHaveLength(60);
    sink.answerWith((_, response) => response.end('{"issue":{"key":"../../admin"}}'));
    await judged({ ...FACT, vulnerability: 'CVE-2026-9' }, ...many);
    expect((await world.notifications.receivers.list(undefined))[0]?.lastError).toContain(
      'holds no number of a ticket at /issue/key',
    );
  });

  it('opens none again whose number it could not read, until the vulnerability was gone', async () => {
    sink.answerWith((_, response) => response.end('{"issue":{"key":"../../admin"}}'));
    expect(await judged(FACT)).toEqual(['POST /in/issues']);
    world.clock.advance(86_400_000);
    expect(await judged({ ...FACT, images: ['sha256:b'] })).toEqual([]);
    expect((await world.notifications.receivers.list(undefined))[0]).toMatchObject({ dead: 1, waiting: 0 });
    expect(await judged()).toEqual([]);
    expect(await judged(FACT)).toEqual(['POST /in/issues']);
  });

  it('leaves values what they are: text in JSON', async () => {
    await judged({ ...FACT, vulnerability: 'CVE"},"admin":true,"x":"{{ticket}}', packages: ['a\r\nb \u202e'] });
    expect(JSON.parse(sink.got[0]?.body ?? '')).toMatchObject({
      title: 'CVE"},"admin":true,"x":"{{ticket}} in front/app',
      text: expect.stringContaining('a b'),
    });
  });
});
