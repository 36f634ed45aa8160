import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OPERATIONS, type OpenClient, perform } from '../clients/client.ts';
import { CLIENTS } from '../clients/clients.ts';
import { openWorld, type Target } from '../clients/world.ts';
import { startBreakwater } from '../support/breakwater.ts';
import { isLeftOut } from '../support/peers.ts';
import { startDistribution, UPSTREAM_ACCOUNT } from '../support/registry-distribution.ts';

/** The second row is the control: what a client cannot do with CNCF Distribution either is not our failure. */
const TARGETS: readonly (readonly [name: string, start: () => Promise<Target>, lacks: readonly string[]])[] = [
  ['Breakwater', breakwater, []],
  // regctl does not log in to it with a password file, and oras expects a catalogue with folders.
  ['CNCF Distribution', distribution, ['regctl', 'oras']],
];

async function breakwater(): Promise<Target> {
  const server = await startBreakwater();
  expect(await server.cli(['project', 'create', 'clients'])).toMatchObject({ code: 0 });
  return { host: server.host, user: 'admin', password: server.password, stop: () => server.stop() };
}

async function distribution(): Promise<Target> {
  const server = await startDistribution({ basic: true });
  return { host: server.host, ...UPSTREAM_ACCOUNT, stop: () => server.stop() };
}

describe.each(TARGETS)('%s', (_, start, lacks) => {
  let target: Target;
  let opened: Awaited<ReturnType<typeof openWorld>>;
  beforeAll(async () => {
    target = await start();
    opened = await openWorld(target);
  });
  afterAll(async () => {
    await opened?.close();
    await target?.stop();
  });

  describe.each(CLIENTS.filter(({ peer }) => !lacks.includes(peer) && !isLeftOut(peer)))('$name', (client) => {
    let open: OpenClient;
    beforeAll(async () => {
      opened.proxy.cutAgain();
      open = await client.open(opened.world);
    });
    afterAll(() => open?.close?.());

    it.each(OPERATIONS.filter((name) => client.can.includes(name)))('%s', (name) => perform(open, name));
  });
});
