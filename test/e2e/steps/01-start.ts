import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { startBreakwater } from '../../support/breakwater.ts';
import { openWire } from '../../support/wire.ts';
import { holds, lacks, matches, same, yes } from '../check.ts';
import type { Stage } from '../stage.ts';
import { say, shown } from '../terminal.ts';

/** From the start of the process until it is ready. */
const LONGEST_START_MS = 2000;

/** The first start by `npm start`, a stop in the middle of a push, and a second start that finds everything again. */
export async function startAndStop(stage: Stage): Promise<void> {
  // A signal to npm must reach the server behind it.
  const first = await startBreakwater({ dataDir: stage.dataDir, adminPassword: null, command: ['npm', 'start'] });
  await shown(
    { user: 'admin', command: 'npm ci && npm start' },
    Promise.resolve({ code: 0, stdout: '', stderr: '', screen: first.output() }),
  );
  stage.setServer(first);
  stage.adminPassword = first.password;
  for (const address of [first.url, first.webhookUrl, first.metricsUrl])
    holds(first.output(), address, 'the banner says where to go');
  matches(first.password, /^[\w-]{20,}$/, 'the first password is long and random');
  same(
    first.output().split('npx breakwater ').length - 1 + Number(first.output().includes('skopeo copy')),
    3,
    'three commands to try next',
  );

  const created = await stage.breakwater('admin', ['project', 'create', 'kept']);
  same(created.code, 0, 'a project is made with the printed password');
  const digest = await pushWhileStopping(stage);
  const second = await startBreakwater({ dataDir: stage.dataDir, ports: first.ports, adminPassword: null });
  stage.setServer({ ...second, password: stage.adminPassword });
  const { startedInMs: clock, startedWithCpuMs: processor } = second;
  say(`the second start was ready after ${clock.toFixed(0)} ms, with ${processor} ms of processor time`);
  // On a busy machine the clock tells about the others.
  yes(Math.min(clock, processor) < LONGEST_START_MS, `it starts in under ${LONGEST_START_MS} ms`);
  lacks(second.output(), 'password:', 'the password is shown once only');
  const found = await stage.breakwater('admin', ['project', 'list']);
  holds(found.stdout, 'kept', 'the project is there again');
  const wire = openWire({ url: second.url, user: 'admin', password: stage.adminPassword });
  const blob = await wire.send('HEAD', `/v2/kept/app/blobs/${digest}`);
  same(blob.status, 200, 'what was pushed while it stopped is there');
  await wire.close();
  const status = await request(`${second.metricsUrl}/readyz`);
  same(
    (await status.body.json()) as { status: string; problems: unknown[] },
    { status: 'ok', problems: [] },
    'ready, nothing to complain about',
  );
}

/** Sends the second half of a blob after the server was told to stop; gives the blob's digest. */
async function pushWhileStopping(stage: Stage): Promise<string> {
  const server = stage.server();
  const wire = openWire({ url: server.url, user: 'admin', password: stage.adminPassword });
  const opened = await wire.send('POST', '/v2/kept/app/blobs/uploads/');
  same(opened.status, 202, 'an upload begins');
  const content = randomBytes(2_000_000);
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  let stopping: Promise<number> | undefined;
  const location = String(opened.headers['location']);
  say('the server is told to stop (SIGTERM) while a push is under way');
  const reply = await wire.send('PUT', `${location}${location.includes('?') ? '&' : '?'}digest=${digest}`, {
    stream: async function* halves() {
      yield content.subarray(0, 1_000_000);
      stopping = server.stop();
      await delay(700);
      yield content.subarray(1_000_000);
    },
  });
  same(reply.status, 201, 'the push under way is finished');
  same(await stopping, 0, 'and the server ends cleanly');
  await wire.close();
  return digest;
}
