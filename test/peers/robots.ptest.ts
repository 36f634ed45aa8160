import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { writeOciLayout } from '../support/oci-layout.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Outcome, run } from '../support/program.ts';

const NAME = 'robot$front+ci';
const LIMITED = { BREAKWATER_LIMIT_ANONYMOUS: '3' };

/** A machine that pushes and pulls with a robot's secret while that is replaced, and after. */
describe.skipIf(isLeftOut('skopeo'))('skopeo with the account of a robot', () => {
  let folder: string;
  let server: BreakwaterServer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-robots-'));
    await mkdir(join(folder, 'root'));
    await writeFile(join(folder, 'root/file.bin'), randomBytes(50_000));
    const layer = join(folder, 'layer.tar.gz');
    done(await run('tar', ['-czf', layer, '-C', join(folder, 'root'), '.']));
    writeOciLayout(join(folder, 'layout'), { layers: [layer], name: 'sample' });
    server = await startBreakwater({ environment: LIMITED });
    done(await server.cli(['project', 'create', 'front']));
    done(await server.cli(['user', 'create', 'lead', '--password-stdin'], { input: 'correct horse\n' }));
    done(await server.cli(['project', 'member', 'add', 'front', 'lead', '--role', 'admin']));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const lead = { user: 'lead', password: 'correct horse' };
  const robot = (...words: string[]) => server.cli(['robot', ...words], { account: lead });
  const issued = async (...words: string[]): Promise<string> => {
    const { secret } = JSON.parse(done(await robot(...words, '-o', 'json')).stdout) as { secret: string };
    return secret;
  };
  const push = (secret: string, to = 'front/app:1') =>
    skopeo(
      'copy',
      '--dest-tls-verify=false',
      `--dest-creds=${NAME}:${secret}`,
      `oci:${join(folder, 'layout')}:sample`,
      `docker://${server.host}/${to}`,
    );
  const pull = async (secret: string): Promise<Outcome> => {
    const target = join(folder, `pulled-${randomBytes(4).toString('hex')}`);
    const from = `docker://${server.host}/front/app:1`;
    return skopeo('copy', '--src-tls-verify=false', `--src-creds=${NAME}:${secret}`, from, `dir:${target}`);
  };

  it('pushes and pulls before, during and after a rotation, and with a secret that was replaced no more', async () => {
    const first = await issued('create', 'ci', '--project', 'front', '--may', 'pull,push');
    done(await push(first));
    done(await pull(first));
    const second = await issued('rotate', 'front+ci');
    for (const secret of [first, second]) {
      done(await push(secret));
      done(await pull(secret));
    }
    done(await robot('rotate', 'front+ci', '--finish'));
    done(await pull(second));
    const refused = await pull(first);
    expect(refused.code, refused.screen).not.toBe(0);
    expect(refused.stderr).toMatch(/unauthorized|authentication/i);
    const shown = done(await robot('show', 'front+ci')).stdout;
    expect(shown).toContain('state      active');
    expect(shown.match(/^secret /gm)).toHaveLength(1);

    // Login as people know it, which keeps what it checked.
    const file = join(folder, 'auth.json');
    const login = [
      'login',
      '--tls-verify=false',
      '--authfile',
      file,
      '--username',
      NAME,
      '--password-stdin',
      server.host,
    ];
    done(await run(requirePeer('skopeo'), login, { input: second }));
    const wrong = await run(requirePeer('skopeo'), login, { input: second.slice(0, -1) });
    expect(wrong.code).not.toBe(0);
    expect(wrong.stderr, wrong.screen).toMatch(/mistyped|unauthorized|invalid/i);
  });

  it('stays where it may be, and stops when it is disabled', async () => {
    const secret = await issued('rotate', 'front+ci', '--overlap', '0');
    done(await server.cli(['project', 'create', 'back']));
    expect((await push(secret, 'back/app:1')).code).not.toBe(0);
    done(await robot('disable', 'front+ci'));
    expect((await pull(secret)).code).not.toBe(0);
    done(await robot('enable', 'front+ci'));
    done(await pull(secret));
    done(await server.cli(['user', 'disable', 'lead']));
    expect((await pull(secret)).code).not.toBe(0);
    done(await server.cli(['robot', 'adopt', 'front+ci']));
    done(await pull(secret));
  });

  it('is on record with the person behind it, without a secret in any file of the server', async () => {
    const { stdout } = done(
      await server.cli(['ledger', 'list', '--actor', NAME, '--action', 'manifest', '-o', 'json']),
    );
    const lines = JSON.parse(stdout) as { action: string; details: Record<string, unknown> }[];
    expect(lines.length).toBeGreaterThan(2);
    for (const { action, details } of lines) expect([action, details['person']]).toEqual(['manifest.push', 'lead']);
    const files = await readdir(server.dataDir, { recursive: true });
    expect(files.length).toBeGreaterThan(3);
    expect(done(await run('grep', ['-rlaE', 'bwr_[0-9A-Za-z]{42}', server.dataDir]), 1).stdout).toBe('');
    expect(server.output()).not.toMatch(/bwr_[0-9A-Za-z]{42}/);
  });

  it('is not held up by strangers who asked too much', async () => {
    done(await server.cli(['project', 'set', 'front', '--public', 'true']));
    const stranger = (path: string) => fetch(`${server.url}/v2/front/app/${path}`);
    const statuses = [];
    for (let times = 0; times < 4; times += 1) statuses.push((await stranger('manifests/1')).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
    const refused = await stranger('tags/list');
    expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, 20]);
    expect(await refused.json()).toEqual({
      errors: [
        {
          code: 'TOOMANYREQUESTS',
          message:
            'too many requests for manifests, lists and tokens without a login from 127.0.0.1: at most 3 a minute; come back in 20 s',
        },
      ],
    });
    done(await pull(await issuedByAdmin('rotate', 'front+ci', '--overlap', '0')));
    const metrics = await (await fetch(`${server.metricsUrl}/metrics`)).text();
    expect(metrics).toMatch(/breakwater_requests_limited_total\{budget="pulls",who="anonymous"\} [23]/);
    const { stdout } = done(await server.cli(['ledger', 'list', '--action', 'limit.reached', '-o', 'json']));
    expect(JSON.parse(stdout)).toMatchObject([{ actor: 'anonymous', details: { network: '127.0.0.1' } }]);
  });

  const issuedByAdmin = async (...words: string[]): Promise<string> => {
    const { secret } = JSON.parse(done(await server.cli(['robot', ...words, '-o', 'json'])).stdout) as {
      secret: string;
    };
    return secret;
  };
});

function skopeo(...words: string[]): Promise<Outcome> {
  return run(requirePeer('skopeo'), ['--insecure-policy', ...words]);
}

function done(outcome: Outcome, code = 0): Outcome {
  expect(outcome.code, outcome.screen).toBe(code);
  return outcome;
}
