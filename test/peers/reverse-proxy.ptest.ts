import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { freePort } from '../support/free-port.ts';
import { writeOciLayout } from '../support/oci-layout.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Outcome, run, type Service, startService, until } from '../support/program.ts';
import { makeTar } from '../support/tar.ts';

const PAGE = resolve(import.meta.dirname, '../../docs/operations.md');
const LAYER = 100 * 1024 * 1024;

interface Proxy {
  readonly program: string;
  /** Language of its block in the page. */
  readonly block: string;
  /** What of the page is another on this machine; each stands there exactly as often. */
  changes(at: Place): readonly (readonly [text: string, here: string, times: number])[];
  args(configuration: string, folder: string): readonly string[];
}

interface Place {
  readonly port: number;
  readonly server: string;
  readonly folder: string;
}

const CERTIFICATE = '/etc/ssl/registry';
const PROXIES: readonly Proxy[] = [
  {
    program: 'nginx',
    block: 'nginx',
    changes: ({ port, server, folder }) => [
      ['listen 443 ssl;', `listen 127.0.0.1:${port} ssl;`, 1],
      ['127.0.0.1:8080', server, 1],
      [CERTIFICATE, `${folder}/registry`, 2],
    ],
    args: (configuration, folder) => {
      const own = `daemon off; pid ${folder}/nginx.pid; error_log stderr;`;
      return ['-p', folder, '-e', 'stderr', '-c', configuration, '-g', own];
    },
  },
  {
    program: 'haproxy',
    block: 'haproxy',
    changes: ({ port, server, folder }) => [
      ['bind :443 ssl', `bind 127.0.0.1:${port} ssl`, 1],
      ['127.0.0.1:8080', server, 1],
      [CERTIFICATE, `${folder}/registry`, 1],
    ],
    args: (configuration) => ['-db', '-f', configuration],
  },
  {
    program: 'caddy',
    block: 'caddy',
    changes: ({ port, server, folder }) => [
      ['https://registry.example.com', `https://127.0.0.1:${port}`, 1],
      ['127.0.0.1:8080', server, 1],
      [CERTIFICATE, `${folder}/registry`, 2],
    ],
    args: (configuration) => ['run', '--adapter', 'caddyfile', '--config', configuration],
  },
];

let work: string;
let layout: string;
let server: BreakwaterServer;
beforeAll(async () => {
  work = await mkdtemp(join(tmpdir(), 'breakwater-proxy-'));
  await makeCertificate(work);
  layout = join(work, 'image');
  await mkdir(layout);
  const layer = join(work, 'layer.tar.gz');
  const tar = makeTar([{ name: 'large', content: randomBytes(LAYER) }]);
  await writeFile(layer, gzipSync(tar, { level: 0 }));
  writeOciLayout(layout, { layers: [layer], name: '1' });
  server = await startBreakwater({ environment: { BREAKWATER_TRUST_PROXY: 'true' } });
});
afterAll(async () => {
  await server?.stop();
  await rm(work, { recursive: true, force: true });
});

describe.each(PROXIES.filter(({ program }) => !isLeftOut(program)))('$program as the page configures it', (proxy) => {
  let host: string;
  let service: Service;
  let credentials: string;
  beforeAll(async () => {
    const folder = join(work, proxy.program);
    await mkdir(folder);
    const port = await freePort();
    host = `127.0.0.1:${port}`;
    const configuration = join(folder, 'configuration');
    await writeFile(configuration, await configurationOf(proxy, { port, server: server.host, folder: work }));
    const environment = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
    service = await startService(requirePeer(proxy.program), proxy.args(configuration, folder), { environment });
    const ready = async () => (await send(host, 'GET', '/v2/').catch(() => ({ status: 0 }))).status === 401;
    await until(ready, { limitMs: 20_000, describe: () => `${proxy.program} did not start:`, service });
    expect((await server.cli(['project', 'create', proxy.program])).code).toBe(0);
    credentials = `Basic ${Buffer.from(`admin:${server.password}`).toString('base64')}`;
  });
  afterAll(() => service?.stop());

  it('tells clients the address they came by', async () => {
    const { headers } = await send(host, 'GET', '/v2/');
    expect(headers['www-authenticate']).toContain(`realm="https://${host}/service/token"`);
  });

  it('passes 100 MB through in one stream without a length, and back', async () => {
    const image = `docker://${host}/${proxy.program}/large:1`;
    const certificates = join(work, 'certificates');
    const login = `admin:${server.password}`;
    await done(
      run('skopeo', ['copy', '--dest-cert-dir', certificates, '--dest-creds', login, `oci:${layout}:1`, image]),
    );
    const back = join(work, proxy.program, 'back');
    await done(run('skopeo', ['copy', '--src-cert-dir', certificates, '--src-creds', login, image, `oci:${back}:1`]));
    const [sent, got] = await Promise.all([layout, back].map(largest));
    expect(got).toBe(sent);

    const environment = {
      SSL_CERT_FILE: join(certificates, 'ca.crt'),
      DOCKER_CONFIG: join(work, proxy.program),
    };
    const crane = (...args: string[]) => run(requirePeer('crane'), args, { environment });
    await done(crane('auth', 'login', host, '-u', 'admin', '-p', server.password));
    // crane takes it over by a mount; a second repository of another image makes it push.
    const other = `${host}/${proxy.program}/other:1`;
    await done(crane('copy', `${host}/${proxy.program}/large:1`, other));
    await done(crane('pull', other, join(work, proxy.program, 'crane.tar')));
    await done(crane('push', join(work, proxy.program, 'crane.tar'), `${host}/${proxy.program}/pushed:1`));
    expect((await stat(join(work, proxy.program, 'crane.tar'))).size).toBeGreaterThan(LAYER);
  });

  it('holds nothing back: the server has what was sent before the rest comes', async () => {
    const token = await tokenFor(host, credentials, `${proxy.program}/slow`);
    const authorization = `Bearer ${token}`;
    const start = await send(host, 'POST', `/v2/${proxy.program}/slow/blobs/uploads/`, { authorization });
    expect([start.status, start.body]).toEqual([202, '']);
    const location = String(start.headers['location']);
    expect(location).toMatch(/^\/v2\//);
    const piece = randomBytes(4 * 1024 * 1024);
    const waiting = Promise.withResolvers<void>();
    const reply = send(host, 'PATCH', location, { authorization }, async function* () {
      yield piece;
      await waiting.promise;
      yield piece;
    });
    const file = join(server.dataDir, 'uploads', location.split('/').at(-1)?.split('?')[0] ?? '');
    const arrived = async () => ((await stat(file).catch(() => undefined))?.size ?? 0) > 3 * 1024 * 1024;
    await until(arrived, { limitMs: 20_000, describe: () => 'the proxy keeps what was sent', service });
    waiting.resolve();
    expect((await reply).status).toBe(202);
    const digest = createHash('sha256').update(piece).update(piece).digest('hex');
    const end = `${String((await reply).headers['location'])}?digest=sha256:${digest}`;
    expect((await send(host, 'PUT', end, { authorization })).status).toBe(201);
  });
});

/** The block of the page, with the addresses and files of this machine. */
async function configurationOf(proxy: Proxy, place: Place): Promise<string> {
  const page = await readFile(PAGE, 'utf8');
  const [, block = ''] = new RegExp(`\`\`\`${proxy.block}\n([^]*?)\`\`\``).exec(page) ?? [];
  let text = block;
  for (const [there, here, times] of proxy.changes(place)) {
    expect(block.split(there).length - 1, `"${there}" in the configuration of ${proxy.program}`).toBe(times);
    text = text.replaceAll(there, here);
  }
  return text;
}

/** A certificate for 127.0.0.1, as the page places it, and as clients want it. */
async function makeCertificate(folder: string): Promise<void> {
  const [key, crt] = [join(folder, 'registry.key'), join(folder, 'registry.crt')];
  const subject = ['-subj', '/CN=registry', '-addext', 'subjectAltName=IP:127.0.0.1'];
  const args = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', crt, ...subject];
  await done(run('openssl', args));
  await writeFile(join(folder, 'registry.pem'), `${await readFile(crt, 'utf8')}${await readFile(key, 'utf8')}`);
  await mkdir(join(folder, 'certificates'));
  await writeFile(join(folder, 'certificates/ca.crt'), await readFile(crt));
}

/** Digest of the largest blob of a layout, computed from its bytes. */
async function largest(folder: string): Promise<string> {
  const blobs = join(folder, 'blobs/sha256');
  const sizes = await Promise.all(
    (await readdir(blobs)).map(async (name) => ({ name, size: (await stat(join(blobs, name))).size })),
  );
  const [first] = sizes.toSorted((a, b) => b.size - a.size);
  const content = await readFile(join(blobs, first?.name ?? ''));
  expect(content.length).toBeGreaterThan(LAYER);
  return createHash('sha256').update(content).digest('hex');
}

async function tokenFor(host: string, credentials: string, repository: string): Promise<string> {
  const query = `service=breakwater&scope=${encodeURIComponent(`repository:${repository}:pull,push`)}`;
  const reply = await send(host, 'GET', `/service/token?${query}`, { authorization: credentials });
  return (JSON.parse(reply.body) as { token: string }).token;
}

function send(
  host: string,
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: () => AsyncIterable<Buffer>,
): Promise<{ status: number; headers: Record<string, string | string[] | undefined>; body: string }> {
  return new Promise((resolve, reject) => {
    // Its certificate is made here; who answers is not what is tested.
    const sent = httpsRequest(`https://${host}${path}`, { method, headers, rejectUnauthorized: false }, (reply) => {
      let text = '';
      reply.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: text }));
    });
    sent.on('error', reject);
    const write = async () => {
      for await (const chunk of body?.() ?? []) sent.write(chunk);
      sent.end();
    };
    write().catch(reject);
  });
}

async function done(outcome: Promise<Outcome>): Promise<void> {
  const result = await outcome;
  expect(result.code, result.screen).toBe(0);
}
