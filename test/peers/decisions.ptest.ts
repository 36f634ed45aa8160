import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pushAlpine } from '../support/alpine-image.ts';
import { type Account, type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Outcome, run } from '../support/program.ts';
import { openWire } from '../support/wire.ts';

const DEVELOPER: Account = { user: 'alice', password: 'developer-password' };
const OFFICER: Account = { user: 'bob', password: 'officer-password' };
const IMAGE = 'front/app:1';
/** Long enough for the pulls of a slow machine, short enough to wait for. */
const LASTS_MS = 30_000;

interface Reason {
  readonly kind: string;
  readonly vulnerability?: string;
}

/** Nothing works in the background: what holds at a moment must not depend on somebody who notices it. */
describe.skipIf(isLeftOut('crane'))('an exception by two people, without background work', () => {
  let server: BreakwaterServer;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-decisions-'));
    server = await startBreakwater({ environment: { BREAKWATER_BACKGROUND_WORK: 'false' } });
    done(await server.cli(['project', 'create', 'front']));
    const wire = openWire({ url: server.url, user: 'admin', password: server.password });
    await pushAlpine(wire, 'front/app', '1');
    await wire.close();
    for (const { user, password } of [DEVELOPER, OFFICER])
      done(await server.cli(['user', 'create', user, '--password-stdin'], { input: `${password}\n` }));
    done(await server.cli(['project', 'member', 'add', 'front', 'alice', '--role', 'developer']));
    done(await server.cli(['project', 'member', 'add', 'front', 'bob', '--role', 'admin']));
    done(await server.cli(['project', 'set', 'front', '--block', 'high']));
    await writeFile(join(folder, 'config.json'), login(server.host, DEVELOPER));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const as = (account: Account, ...words: readonly string[]) => server.cli(words, { account });
  const pull = () =>
    run(requirePeer('crane'), ['--insecure', 'manifest', `${server.host}/${IMAGE}`], {
      environment: { DOCKER_CONFIG: folder },
    });

  it('counts from the grant to the second of its end, at the gate and on the command line', async () => {
    refused(await pull());
    const before = await as(DEVELOPER, 'verdict', IMAGE, '-o', 'json');
    const { verdict } = JSON.parse(before.stdout) as { verdict: { reasons: Reason[] } };
    const blocking = verdict.reasons.filter(({ kind }) => kind === 'block').flatMap((one) => one.vulnerability ?? []);
    const ids = [...new Set(blocking)];
    const why = ['--reason', 'no server runs in it'];
    const asked = done(
      await as(DEVELOPER, 'exception', 'request', 'front', ...ids, '--until', '+2d', ...why, '-o', 'json'),
    );
    const batch = /"batch": ?"([^"]+)"/.exec(asked.stdout)?.[1] ?? '';
    refused(await pull());
    const own = await as(DEVELOPER, 'exception', 'grant', 'front', '--batch', batch, '--reason', 'mine');
    expect(own.code, own.screen).toBe(3);

    const end = Date.now() + LASTS_MS;
    const until = new Date(end).toISOString();
    done(await as(OFFICER, 'exception', 'grant', 'front', '--batch', batch, '--until', until, '--reason', 'read it'));
    done(await pull());
    done(await as(DEVELOPER, 'verdict', IMAGE));
    expect(Date.now(), 'all this took longer than the exception lasts').toBeLessThan(end);
    await delay(Math.max(0, end - Date.now()));
    refused(await pull());
    const after = await as(DEVELOPER, 'verdict', IMAGE);
    expect(after.code, after.screen).toBe(1);
  });
});

function login(host: string, { user, password }: Account): string {
  return JSON.stringify({ auths: { [host]: { auth: Buffer.from(`${user}:${password}`).toString('base64') } } });
}

function done(outcome: Outcome): Outcome {
  expect(outcome.code, outcome.screen).toBe(0);
  return outcome;
}

function refused(outcome: Outcome): void {
  expect(outcome.code, outcome.screen).not.toBe(0);
  expect(outcome.screen).toMatch(/cannot be pulled due to configured policy/);
}
