import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ENGINES } from '../../test/support/engines.ts';
import { SYSTEM } from '../auth/principal.ts';
import { takeReceiver, work } from './deliver.ts';
import { dispatch } from './dispatch.ts';
import { type Got, type NotifyWorld, notifyWorld, START, startSink, verdictEvent, verified } from './world.testing.ts';

type Sink = Awaited<ReturnType<typeof startSink>>;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

describe.each(ENGINES)('receivers on %s', (engine) => {
  let world: NotifyWorld;
  let sink: Sink;
  beforeEach(async () => {
    world = await notifyWorld(engine);
    sink = await startSink();
  });
  afterEach(async () => {
    await sink.close();
    await world.close();
  });
  const bodies = () => sink.got.map(({ body }) => JSON.parse(body) as Record<string, never>);
  const idsOf = () => sink.got.map(({ headers }) => headers['webhook-id']);
  const states = async () =>
    (await world.db.selectFrom('notify_messages').select('state').orderBy('id').execute()).map(({ state }) => state);

  it('tells each event once, in order, signed as an independent library expects', async () => {
    const secret = await world.add('siem', sink.url);
    await world.tell(...Array.from({ length: 150 }, (_, at) => verdictEvent(`front/app${at % 3}`, START + at)));
    await world.run();
    expect(sink.got).toHaveLength(150);
    expect(new Set(idsOf()).size).toBe(150);
    for (const one of sink.got)
      expect(verified(one, secret)).toMatchObject({ specversion: '1.0', type: 'breakwater.VERDICT_CHANGED' });
    const ofOne = bodies()
      .filter(({ subject }) => String(subject).startsWith('front/app1@'))
      .map(({ sequence }) => String(sequence));
    expect(ofOne).toHaveLength(50);
    expect(ofOne).toEqual(ofOne.toSorted());
    await world.run();
    expect(sink.got).toHaveLength(150);
    expect(() => verified({ ...(sink.got[0] as Got), body: '{}' }, secret)).toThrow('No matching signature');
  });

  it('signs with both secrets while one takes the place of the other', async () => {
    const before = await world.add('siem', sink.url);
    const { secret: after } = await world.notifications.receivers.rotate(SYSTEM, undefined, 'siem', 2);
    await expect(world.notifications.receivers.rotate(SYSTEM, undefined, 'siem', 2)).rejects.toMatchObject({
      code: 'receiver_rotating',
    });
    await world.tell(verdictEvent('front/app', START));
    await world.run();
    const [first] = sink.got;
    expect(String(first?.headers['webhook-signature']).split(' ')).toHaveLength(2);
    for (const secret of [before, after]) expect(verified(first as never, secret)).toBeDefined();
    world.clock.advance(2 * HOUR + 1);
    await world.tell(verdictEvent('front/app', START));
    await world.run();
    expect(String(sink.got[1]?.headers['webhook-signature']).split(' ')).toHaveLength(1);
    await world.notifications.receivers.rotate(SYSTEM, undefined, 'siem', 0);
    const kept = JSON.stringify(await world.db.selectFrom('notify_secrets').selectAll().execute());
    expect(kept).not.toContain(after.slice(6, 30));
    expect(JSON.stringify(await world.deps.ledger.list({ limit: 100 }))).not.toContain('whsec_');
  });

  it('tells one advisory update in one message, with all of it behind a call', async () => {
    await world.add('siem', sink.url);
    await world.add('blocks', `${sink.url}/blocks`, { onlyNewBlocks: true });
    await world.add('every', `${sink.url}/every`, { each: true });
    for (let part = 0; part < 5; part += 1)
      await world.tell(
        ...Array.from({ length: 50 }, (_, at) =>
          verdictEvent(`front/app${part * 50 + at}`, START, 'advisories v2', at % 2 === 0 ? 'block' : 'allow'),
        ),
      );
    await world.run();
    expect(sink.got.filter(({ path }) => path === '/in/every')).toHaveLength(250);
    expect(sink.got).toHaveLength(250);
    world.clock.advance(30_001);
    await world.run();
    const [whole, ...more] = sink.got.filter(({ path }) => path === '/in');
    expect(more).toEqual([]);
    const { data, subject, id } = JSON.parse(whole?.body ?? '') as {
      readonly data: Readonly<Record<string, unknown>>;
      readonly subject: string;
      readonly id: string;
    };
    expect(subject).toBe('advisories/v2');
    expect(data).toMatchObject({ total: 250, blocked: 125, released: 125, cause: 'advisories' });
    expect(data['changes']).toHaveLength(50);
    expect(data['more']).toBe(`/api/v1/receivers/siem/messages/${id}/changes`);
    const [blocks] = sink.got.filter(({ path }) => path === '/in/blocks');
    expect(JSON.parse(blocks?.body ?? '')).toMatchObject({ data: { total: 125, blocked: 125, released: 0 } });
    const seen = new Set<string>();
    let after: number | undefined = 0;
    while (after !== undefined) {
      const part = await world.notifications.messages.changes(undefined, 'siem', id, { after, limit: 100 });
      for (const { repository } of part.items) seen.add(repository);
      after = part.next;
    }
    expect(seen.size).toBe(250);
  });

  it('goes on with others, and later with it, while a receiver is down', async () => {
    await world.add('down', `${sink.url}/down`);
    await world.add('up', `${sink.url}/up`);
    let away = true;
    sink.answerWith(({ path }, response) => {
      response.statusCode = away && path === '/in/down' ? 503 : 204;
      response.end();
    });
    await world.tell(...Array.from({ length: 200 }, (_, at) => verdictEvent(`front/app${at}`, START)));
    await world.run();
    const to = (path: string) => sink.got.filter((one) => one.path === path);
    expect(to('/in/up')).toHaveLength(200);
    // A few found it out; the others were not tried.
    expect(to('/in/down').length).toBeLessThan(40);
    const [view] = await world.notifications.receivers.list(undefined);
    expect(view).toMatchObject({ name: 'down', waiting: 200, lastError: 'it answers 503' });
    away = false;
    world.clock.advance(4 * HOUR);
    await world.run();
    expect(new Set(to('/in/down').map(({ headers }) => headers['webhook-id'])).size).toBe(200);
    expect(await states()).toEqual(Array.from({ length: 400 }, () => 'delivered'));
  });

  it('keeps the order of one subject when the first of it fails', async () => {
    await world.add('siem', sink.url);
    let refusals = 1;
    sink.answerWith((_, response) => {
      response.statusCode = refusals-- > 0 ? 500 : 200;
      response.end();
    });
    await world.tell(
      verdictEvent('front/app', START),
      verdictEvent('front/app', START + 1),
      verdictEvent('front/other', START + 2),
    );
    await world.run();
    expect(idsOf()).toHaveLength(2);
    world.clock.advance(HOUR);
    await world.run();
    const arrived = idsOf();
    expect(arrived).toHaveLength(4);
    expect(arrived[2]).toBe(arrived[0]);
    expect(JSON.parse(sink.got[3]?.body ?? '')).toMatchObject({ subject: expect.stringContaining('front/app@') });
  });

  it('gives up after three days, lists what it gave up, and sends it again under the same id', async () => {
    await world.add('siem', sink.url);
    sink.answerWith((_, response) => {
      response.statusCode = 500;
      response.end();
    });
    await world.tell(verdictEvent('front/app', START));
    for (let hours = 0; hours < 90; hours += 1) {
      await world.run();
      world.clock.advance(HOUR);
    }
    expect(await states()).toEqual(['dead']);
    const tries = sink.got.length;
    expect(tries).toBeGreaterThan(15);
    const [dead] = await world.notifications.messages.list(undefined, 'siem', { state: 'dead', limit: 10 });
    expect(dead).toMatchObject({ lastError: 'it answers 500', attempts: tries });
    sink.answerWith((_, response) => response.end());
    expect(await world.notifications.messages.resend(SYSTEM, undefined, 'siem')).toBe(1);
    await world.run();
    expect(new Set(idsOf())).toEqual(new Set([dead?.id]));
    expect(await states()).toEqual(['delivered']);
    expect(await world.notifications.messages.resend(SYSTEM, undefined, 'siem', dead?.id)).toBe(1);
    await expect(world.notifications.messages.resend(SYSTEM, undefined, 'siem', 'evt_none')).rejects.toMatchObject({
      code: 'message_unknown',
    });
  });

  it('takes over from a replica that died, and gives one receiver to one of several', async () => {
    await world.add('siem', sink.url);
    await world.tell(verdictEvent('front/app', START));
    await Promise.all([dispatch(world.deps), dispatch(world.deps), dispatch(world.deps)]);
    expect(await states()).toEqual(['waiting']);
    const taken = await Promise.all(Array.from({ length: 5 }, () => takeReceiver(world.deps)));
    const [dead, ...others] = taken.filter((one) => one !== undefined);
    expect(others).toEqual([]);
    await world.run();
    expect(sink.got).toEqual([]);
    world.clock.advance(46_000);
    await world.run();
    expect(sink.got).toHaveLength(1);
    // The one that was thought dead comes back: its lease is not its successor's.
    if (dead) await work(world.deps, dead, new AbortController().signal);
    expect(sink.got).toHaveLength(1);
  });

  it('holds back what is for a receiver that is paused', async () => {
    await world.add('siem', sink.url);
    await world.notifications.receivers.setPaused(SYSTEM, undefined, 'siem', true);
    await world.tell(verdictEvent('front/app', START));
    world.clock.advance(2 * DAY);
    await world.run();
    expect(sink.got).toEqual([]);
    await world.notifications.receivers.setPaused(SYSTEM, undefined, 'siem', false);
    await world.run();
    expect(sink.got).toHaveLength(1);
  });

  it('tells a project of its own events alone, and each receiver of what it asked for', async () => {
    await world.add('own', `${sink.url}/own`, {}, {}, 'front');
    await world.add('team', `${sink.url}/team`, { repositories: ['*/team/**'] });
    await world.add('worst', `${sink.url}/worst`, { minSeverity: 'critical' });
    await world.add('pushes', `${sink.url}/pushes`, { events: ['PUSH'] });
    await world.tell(verdictEvent('front/app', START), verdictEvent('back/team/app', START));
    await world.run();
    expect(
      sink.got
        .map(
          ({ path, body }) =>
            `${path} ${String((JSON.parse(body) as Record<string, unknown>)['subject']).split('@')[0]}`,
        )
        .sort(),
    ).toEqual(['/in/own front/app', '/in/team back/team/app']);
  });

  it('puts a day into one message where that is wished', async () => {
    await world.add('chat', sink.url, { digest: 'daily' }, { kind: 'slack' });
    await world.tell(verdictEvent('front/one', START), verdictEvent('front/two', START));
    await world.run();
    expect(await states()).toEqual(['held', 'held']);
    world.clock.advance(DAY);
    await world.run();
    expect(sink.got).toHaveLength(1);
    expect(sink.got[0]?.body).toContain('2 events from');
    expect(sink.got[0]?.body).toContain('front/two');
    expect(await states()).toEqual(['delivered', 'delivered', 'delivered']);
  });

  it('refuses what cannot be told or must not be reached, and saves nothing of it', async () => {
    const lead = { kind: 'user', id: 'lead', name: 'lead', admin: false } as const;
    const add = (by: typeof lead | typeof SYSTEM, kind: 'webhook' | 'mail', target: object, settings = {}) =>
      world.notifications.receivers.add(by, { id: 'front', name: 'front' }, { name: 'x', kind, target, settings });
    await expect(add(SYSTEM, 'webhook', {})).rejects.toMatchObject({ code: 'receiver_invalid' });
    await expect(add(SYSTEM, 'webhook', { url: 'http://a.example.com/' })).rejects.toThrow('--allow-http');
    await expect(add(SYSTEM, 'webhook', { url: 'https://u:p@a.example.com/' })).rejects.toThrow('--authorization-file');
    await expect(add(SYSTEM, 'mail', { to: ['a@example.com'], url: 'https://a.example.com' })).rejects.toThrow(
      'no URL',
    );
    await expect(add(lead, 'webhook', { url: 'https://a.example.com/' }, { allowPrivate: true })).rejects.toMatchObject(
      { code: 'receiver_reach' },
    );
    expect(await world.db.selectFrom('notify_receivers').selectAll().execute()).toEqual([]);
    for (const host of ['127.0.0.1', '10.1.2.3', '[::1]', '0x7f000001'])
      await expect(add(SYSTEM, 'webhook', { url: `https://${host}/` })).rejects.toThrow(
        'is in a private network; an administrator allows that with --allow-private',
      );
    for (const host of ['169.254.169.254', '[fe80::1]'])
      for (const allowPrivate of [false, true])
        await expect(add(SYSTEM, 'webhook', { url: `https://${host}/` }, { allowPrivate })).rejects.toThrow(
          'has an address that nothing is ever sent to',
        );
    expect(await world.db.selectFrom('notify_receivers').selectAll().execute()).toEqual([]);
    // A name tells its address only when it is sent to.
    await world.add('closed', sink.url.replace('127.0.0.1', 'localhost'), { allowPrivate: false });
    await world.tell(verdictEvent('front/app', START));
    await world.run();
    expect(sink.got).toEqual([]);
    expect((await world.notifications.receivers.list(undefined))[0]?.lastError).toContain('private network');
  });
});
