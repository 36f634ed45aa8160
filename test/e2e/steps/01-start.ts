import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import type { BreakwaterServer } from '../../support/breakwater.ts';
import { openWire } from '../../support/wire.ts';
import type { Journey, Step } from '../journey.ts';

const LONGEST_START_MS = 2000;

/** Starting, stopping while a push is under way, starting again. */
export const step: Step = {
  title: 'It starts on its own, stops cleanly, and finds everything again',
  async run(journey) {
    const { terminal } = journey;
    terminal.say('The administrator starts it for the first time.');
    terminal.print('$ npm start');
    const first = await journey.start();
    terminal.print(first.output());
    assert.match(first.output(), /password: \S{16,}/, 'the first password is printed');
    assert.ok(first.output().includes(first.url), 'it says where to go');
    const commands = first.output().split('Try next:')[1]?.trim().split('\n').slice(0, 3) ?? [];
    assert.equal(commands.filter((line) => /breakwater|skopeo/.test(line)).length, 3, 'three commands to try');
    await isHealthy(first);

    await journey.breakwater(['login', first.url, '--password-stdin'], { input: first.password });
    await journey.breakwater(['project', 'create', 'tour']);

    terminal.say('It is stopped while a layer is being pushed: the push ends well first.');
    const content = randomBytes(3_000_000);
    const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
    const [pushed, code] = await stopDuringPush(first, content, digest);
    terminal.print(
      `push of ${digest.slice(0, 19)}…: ${pushed}\n${first.output().trim().split('\n').at(-1)}\nexit code ${code}`,
    );
    assert.equal(pushed, 201);
    assert.equal(code, 0);

    terminal.say('The second start finds everything again, and prints no password.');
    terminal.print('$ npm start');
    const second = await journey.start();
    terminal.print(`ready after ${Math.round(second.startedInMs)} ms`);
    assert.ok(second.startedInMs < LONGEST_START_MS, `took ${second.startedInMs} ms to start`);
    assert.doesNotMatch(second.output(), /password/);
    const { stdout } = await journey.breakwater(['project', 'list']);
    assert.match(stdout, /^tour /m);
    const wire = openWire({ url: second.url, user: 'admin', password: second.password });
    const found = await wire.send('HEAD', `/v2/tour/layer/blobs/${digest}`);
    await wire.close();
    assert.equal(found.status, 200, 'the layer that was pushed during the stop is there');
    await journey.breakwater(['project', 'delete', 'tour', '--force']);
  },
};

async function isHealthy({ metricsUrl }: Journey['server']): Promise<void> {
  for (const path of ['livez', 'readyz', 'metrics']) {
    const reply = await request(`${metricsUrl}/${path}`);
    await reply.body.dump();
    assert.equal(reply.statusCode, 200, path);
  }
}

/** Sends half a blob, asks the server to stop, sends the rest. Gives the status of the push and the exit code. */
async function stopDuringPush(server: BreakwaterServer, content: Buffer, digest: string): Promise<[number, number]> {
  const wire = openWire({ url: server.url, user: 'admin', password: server.password });
  const begun = await wire.send('POST', '/v2/tour/layer/blobs/uploads/');
  assert.equal(begun.status, 202);
  const half = content.length / 2;
  let rest: () => void = () => undefined;
  const stopping = new Promise<void>((resolve) => {
    rest = resolve;
  });
  async function* slowly() {
    yield content.subarray(0, half);
    await stopping;
    yield content.subarray(half);
  }
  const location = new URL(String(begun.headers['location']), server.url);
  location.searchParams.set('digest', digest);
  const push = request(location, {
    method: 'PUT',
    body: Readable.from(slowly()),
    headers: { authorization: basic(server), 'content-length': String(content.length) },
  });
  await delay(300);
  const stop = server.stop();
  await delay(300);
  rest();
  const reply = await push;
  await reply.body.dump();
  await wire.close();
  return [reply.statusCode, await stop];
}

function basic({ password }: BreakwaterServer): string {
  return `Basic ${Buffer.from(`admin:${password}`).toString('base64')}`;
}
