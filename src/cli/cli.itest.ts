import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../test/support/free-port.ts';
import { createRegistryClient } from '../mirror/registry-client.ts';
import { digestOf } from '../oci/digest.ts';
import { systemClock } from '../platform/clock.ts';
import { createHttpClient } from '../platform/http-client.ts';

const ROOT = join(import.meta.dirname, '../..');
const PROGRAM = join(ROOT, 'bin/breakwater.mjs');
const PASSWORD = 'first-password';

interface Outcome {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-cli-'));
  await makeRootFileSystem(join(folder, 'rootfs'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const { PATH } = process.env;
  return { PATH, HOME: join(folder, 'home'), BREAKWATER_DATA_DIR: join(folder, 'data'), ...extra };
}

/** Runs the program as users do. */
function breakwater(
  args: readonly string[],
  input = '',
  extra: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd: folder, env: environment(extra) });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, out, err }));
    child.stdin.end(input);
  });
}

describe('the program itself', () => {
  it('prints its version', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(await breakwater(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });
  it('leaves --version to the commands that have one of their own', async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    for (const command of ['exception request front CVE-1', 'exception edit front x', 'simulate --rule unscannable']) {
      const asked = await breakwater([...command.split(' '), '--version', '3.3.2-r0']);
      expect(asked.out).toBe('');
      expect([asked.code, asked.err]).not.toEqual([0, '']);
    }
    expect((await breakwater(['quarantine', 'list', '--version'])).err).toContain("unknown option '--version'");
    expect((await breakwater(['-V', 'serve'])).out).toBe(`${version}\n`);
  });
  it('explains itself', async () => {
    const { code, out } = await breakwater(['--help']);
    expect(code).toBe(0);
    for (const noun of ['serve', 'project', 'verdict', 'scan', 'evidence']) expect(out).toContain(`  ${noun} `);
    expect(out).toContain('Exit codes');
    expect((await breakwater(['scan', '--help'])).out).toContain('breakwater scan alpine.tar');
  });
  it.each([
    [['scna', 'x'], /unknown command 'scna'[^]*Did you mean scan/],
    [['scan'], /missing required argument 'target'/],
    [['scan', 'nothing.tar'], /there is no file or folder nothing\.tar/],
    [['scan', 'UPPER'], /not an image reference/],
    [['project', 'create', 'front', '--block', 'severe'], /Allowed choices are off, none, low/],
    [['evidence', 'export', '--from', 'yesterday', '--to', '2026-01-01'], /Write a day like/],
    [['user', 'create', 'x', '--password-stdin'], /no password was given on standard input/],
  ] as const)('%j is wrong usage', async (args, message) => {
    const { code, out, err } = await breakwater(args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/^breakwater: /);
    expect(err).toMatch(message);
  });
  it('names every setting that is wrong', async () => {
    const { code, err } = await breakwater(['project', 'list'], '', { BREAKWATER_URL: 'nowhere' });
    expect(code).toBe(2);
    expect(err).toContain('BREAKWATER_URL');
  });
  it('says what to start when there is no server', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    const { code, err } = await breakwater(['project', 'list'], '', { BREAKWATER_URL: url });
    expect(code).toBe(3);
    expect(err).toContain(`no server answers at ${url} (ECONNREFUSED); start it with "breakwater serve"`);
  });
});

describe('scan without a server', () => {
  it('reads a root file system with the advisories that ship with it', async () => {
    const { code, out } = await breakwater(['scan', 'rootfs', '-o', 'json', '--fail-on', 'critical']);
    const report = JSON.parse(out) as Record<string, { [key: string]: unknown }[]> & { verdict: { kind: string } };
    expect(report['packages']).toMatchObject([{ ecosystem: 'Alpine:v3.10', name: 'apk-tools', version: '2.10.6-r0' }]);
    expect(report['findings']).toMatchObject([{ id: 'CVE-2021-36159', fixed: '2.10.7-r0', severity: 'critical' }]);
    expect([report.verdict.kind, code]).toEqual(['block', 1]);
  });
  it('only warns unless told to fail', async () => {
    const { code, out } = await breakwater(['scan', 'rootfs']);
    expect(code).toBe(0);
    expect(out).toMatch(/apk-tools +2\.10\.6-r0 +2\.10\.7-r0 +critical +CVE-2021-36159/);
    expect(out.trimEnd().split('\n').at(-1)).toMatch(/^allowed with a warning: CVE-2021-36159/);
  });
  it('does not count what an ignore file or a VEX statement sets aside', async () => {
    const set = ['--fail-on', 'critical'];
    await writeFile(join(folder, '.breakwaterignore'), 'CVE-2021-36159 # not reachable\n');
    try {
      const ignored = await breakwater(['scan', 'rootfs', ...set]);
      expect([ignored.code, ignored.err]).toEqual([0, '']);
      expect(ignored.out).toContain('CVE-2021-36159 in apk-tools 2.10.6-r0: .breakwaterignore line 1: not reachable');
      expect((await breakwater(['scan', 'rootfs', ...set, '--no-ignore-file'])).code).toBe(1);
    } finally {
      await rm(join(folder, '.breakwaterignore'));
    }
    await writeFile(join(folder, 'wrong'), 'CVE-1 until=tomorrow');
    const wrong = await breakwater(['scan', 'rootfs', '--ignore-file', 'wrong']);
    expect([wrong.code, wrong.err]).toEqual([2, expect.stringContaining('wrong, line 1: until=tomorrow')]);

    const statement = {
      vulnerability: { name: 'CVE-2021-36159' },
      products: [{ '@id': 'pkg:apk/alpine/apk-tools@2.10.6-r0' }],
      status: 'not_affected',
      justification: 'vulnerable_code_not_in_execute_path',
    };
    const document = { '@context': 'https://openvex.dev/ns/v0.2.0', '@id': 'urn:x', author: 'Acme', version: 1 };
    const vex = { ...document, timestamp: '2026-01-01T00:00:00Z', statements: [statement] };
    await writeFile(join(folder, 'app.vex.json'), JSON.stringify(vex));
    const dismissed = await breakwater(['scan', 'rootfs', ...set, '--vex', 'app.vex.json']);
    expect([dismissed.code, dismissed.err]).toEqual([0, '']);
    expect(dismissed.out).toMatch(/CVE-2021-36159 in apk-tools 2\.10\.6-r0: it is not affected, says Acme/);
    const missing = await breakwater(['scan', 'rootfs', '--vex', 'none.json']);
    expect([missing.code, missing.err]).toEqual([3, expect.stringContaining('none.json could not be read')]);
  });
  it('writes any form to a file, and judges the bill of materials it wrote', async () => {
    for (const form of ['json', 'sarif', 'html', 'spdx', 'cyclonedx']) {
      const { code, out } = await breakwater(['scan', 'rootfs', '-o', form, '--out', `scan.${form}`]);
      expect([code, out.trimEnd().split('\n').at(-1)]).toEqual([0, expect.stringMatching(/^allowed with a warning/)]);
      const text = await readFile(join(folder, `scan.${form}`), 'utf8');
      expect(text).toContain(form === 'spdx' ? 'SPDX-2.3' : 'CVE-2021-36159');
    }
    for (const form of ['spdx', 'cyclonedx']) {
      const { code, out } = await breakwater(['scan', `scan.${form}`, '--fail-on', 'critical']);
      expect(code).toBe(1);
      expect(out).toMatch(/apk-tools +2\.10\.6-r0 +2\.10\.7-r0 +critical +CVE-2021-36159/);
    }
  });
  it('refuses a file that is no image, and a database that is none', async () => {
    await writeFile(join(folder, 'text.tar'), 'no archive at all');
    const broken = await breakwater(['scan', 'text.tar']);
    expect([broken.code, broken.out]).toEqual([3, '']);
    expect(broken.err).toMatch(/^breakwater: text\.tar is no archive/);
    expect((await breakwater(['scan', 'rootfs', '--db', 'text.tar'])).err).toMatch(
      /^breakwater: .*no advisory database/,
    );
  });
});

const kept = () => ({ BREAKWATER_CONFIG_HOME: join(folder, 'config') });

/** With the login that the first test keeps. */
function run(...args: string[]): Promise<Outcome> {
  return breakwater(args, '', kept());
}

describe('against a server', () => {
  let server: ChildProcess;
  let url: string;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    server = spawn(process.execPath, [PROGRAM, 'serve'], {
      stdio: 'ignore',
      env: environment({
        BREAKWATER_DATA_DIR: join(folder, 'server'),
        BREAKWATER_LISTEN: `127.0.0.1:${port}`,
        BREAKWATER_WEBHOOK_LISTEN: `127.0.0.1:${await freePort()}`,
        BREAKWATER_METRICS_LISTEN: `127.0.0.1:${await freePort()}`,
        BREAKWATER_ADMIN_PASSWORD: PASSWORD,
        BREAKWATER_LOG_LEVEL: 'silent',
      }),
    });
    await answers(url);
  });
  afterAll(async () => {
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGTERM');
    await ended;
  });

  it('keeps a login only when the server takes it', async () => {
    const wrong = await breakwater(['login', url, '--password-stdin'], 'wrong\n', kept());
    expect(wrong.code).toBe(3);
    expect(wrong.err).toContain('does not accept user "admin"');
    expect((await run('user', 'list')).code).toBe(3);
    const right = await breakwater(['login', url, '--password-stdin'], `${PASSWORD}\n`, kept());
    expect(right.out).toBe(`Logged in to ${url} as admin, an administrator.\n`);
    expect((await run('user', 'list')).out).toMatch(/admin +yes +active/);
  });

  it('walks from a project over a copy to a verdict and evidence of it', async () => {
    expect((await run('project', 'create', 'front', '--block', 'high')).code).toBe(0);
    expect((await run('project', 'create', 'back', '--warn', 'critical')).code).toBe(0);
    expect((await run('project', 'create', 'front')).err).toBe('breakwater: there is a project "front" already\n');
    await pushImage(url, 'back/alpine', '3.10');

    const host = new URL(url).host;
    const copied = await run('mirror', 'copy', `${host}/back/alpine:3.10`, 'front/alpine:3.10');
    expect(copied.code).toBe(0);
    expect(copied.out).toMatch(/digest +sha256:[0-9a-f]{64}\n.*sent[^]*warning +front\/alpine:3\.10 is blocked/);
    expect(copied.err).toContain('100 %');
    const again = await run('mirror', 'copy', `${host}/back/alpine:3.10`, 'front/alpine:3.10', '-o', 'json');
    expect(JSON.parse(again.out)).toMatchObject({ bytesSent: 0, manifests: 1 });

    const blocked = await run('verdict', 'front/alpine:3.10');
    expect(blocked.code).toBe(1);
    expect(blocked.out).toMatch(/verdict +blocked: CVE-2021-36159 in apk-tools/);
    expect((await run('verdict', 'back/alpine:3.10', '-o', 'json')).code).toBe(0);
    expect((await run('scan', `${host}/back/alpine:3.10`)).out).toContain('CVE-2021-36159');
    expect((await run('project', 'show', 'front')).out).toMatch(/front\/alpine:3\.10 +block/);

    const findings = await run('finding', 'list', '--package', 'apk-*', '--fixable', '--sort', 'repository');
    expect(findings.out).toMatch(
      /CVE-2021-36159 +apk-tools .* back\/alpine +[\d-]+ +1 warned\n.* front\/alpine +[\d-]+ +1 blocked\n$/,
    );
    const first = await run('finding', 'list', '--limit', '1', '-o', 'json');
    const { items, next } = JSON.parse(first.out) as { items: { vulnerability: string }[]; next: string };
    expect(first.err).toContain(`--after "${next}"`);
    const second = await run('finding', 'list', '--limit', '1', '--after', next, '-o', 'json');
    expect((JSON.parse(second.out) as { items: unknown[] }).items).not.toEqual(items);
    expect((await run('finding', 'list', 'front/alpine', '--kev', '--unfixable')).out).toBe('Nothing was found.\n');
    const holding = await run('finding', 'images', 'CVE-2021-36159', 'front');
    expect(holding.out).toMatch(/front\/alpine +3\.10 +sha256:[0-9a-f]{64} +apk-tools .* blocked\n$/);
    expect(await run('finding', 'list', 'front', '--status', 'bad')).toMatchObject({
      code: 3,
      err: expect.stringContaining('give one or more of blocked') as string,
    });

    const sbom = await run('sbom', 'front/alpine:3.10', '-o', 'spdx', '--out', 'front.spdx.json');
    expect([sbom.code, sbom.out]).toEqual([0, '']);
    expect((await run('scan', 'front.spdx.json')).out).toContain('CVE-2021-36159');
    expect(JSON.parse((await run('sbom', 'front/alpine:3.10')).out)).toMatchObject({
      bomFormat: 'CycloneDX',
      metadata: { component: { name: expect.stringMatching(/^front\/alpine@sha256:/) as string } },
    });
    expect(await run('sbom', 'front/none:1')).toMatchObject({
      code: 3,
      err: expect.stringContaining('no image') as string,
    });

    const exported = await run('evidence', 'export', '--from', '2020-01-01', '--to', '2100-01-01', '--out', 'e.json');
    expect(exported.out).toMatch(/digest +sha256:/);
    expect((await run('evidence', 'verify', 'e.json')).code).toBe(0);
    const text = await readFile(join(folder, 'e.json'), 'utf8');
    await writeFile(join(folder, 'changed.json'), text.replace('"project.create"', '"project.remove"'));
    const changed = await run('evidence', 'verify', 'changed.json');
    expect(changed.code).toBe(1);
    expect(changed.out).toContain('BROKEN');
  });

  it('simulates what files ask for, and names what is wrong in them', async () => {
    await run('project', 'create', 'foresight', '--block', 'high');
    await pushImage(url, 'foresight/alpine', '3.10');
    await writeFile(join(folder, '.trivyignore'), 'CVE-2021-36159\n');
    await writeFile(join(folder, 'wanted.yaml'), '- vulnerability: CVE-2021-36159\n  package: apk-tools\n');
    const today = await run('simulate', 'foresight', '-o', 'json');
    expect(JSON.parse(today.out)).toMatchObject({ images: { judged: 1, blockedBefore: 1, blockedAfter: 1 } });
    for (const file of ['.trivyignore', 'wanted.yaml']) {
      const found = await run('simulate', 'foresight', '--exception', file, '-o', 'json');
      expect(found.err).toBe('');
      expect(JSON.parse(found.out)).toMatchObject({ images: { blockedAfter: 0, allowed: 1 } });
    }
    await writeFile(join(folder, 'wrong.yaml'), '- vulnerability: CVE-2021-36159\n  pakage: apk-tools\n');
    await writeFile(join(folder, 'policy.yaml'), 'blok: high\n');
    for (const [option, given, message] of [
      ['--exception', 'wrong.yaml', /wrong\.yaml, exception 1: unknown field "pakage"; did you mean "package"\?/],
      ['--policy', 'policy.yaml', /policy\.yaml is no policy: .*blok/],
      ['--set', 'block.fixable={', /The value is no YAML/],
    ] as const) {
      const { code, err } = await run('simulate', 'foresight', option, given);
      expect([code, err]).toEqual([2, expect.stringMatching(message)]);
    }
  });

  it('changes a policy while an announced one waits, and says which counts and which waits', async () => {
    await run('project', 'create', 'announced', '--block', 'critical');
    const set = (...given: string[]) => run('policy', 'set', 'announced', ...given, '--reason', 'a test');
    const from = `${new Date(Date.now() + 90 * 86_400_000).toISOString().slice(0, 10)}T00:00:00.000Z`;
    const numberIn = (text: string) => Number(/version (\d+)/.exec(text)?.[1]);
    const announced = await set('--block', 'medium', '--effective-from', from);
    const first = numberIn(announced.out);
    expect(announced.out).toBe(`announced has policy version ${first} from ${from} on; until then it only warns.\n`);
    const link = await set('--set', 'contact.link=https://example.com/x');
    expect([link.code, link.out]).toEqual([
      0,
      `announced has policy version ${first + 1} now.\nVersion ${first + 2} still waits for ${from}, and has this change too.\n`,
    ]);
    const shown = JSON.parse((await run('policy', 'show', 'announced', '-o', 'json')).out);
    expect(shown).toMatchObject({
      policy: { block: { fixable: 'critical' }, contact: { link: 'https://example.com/x' } },
      coming: [{ from, policy: { block: { fixable: 'medium' }, contact: { link: 'https://example.com/x' } } }],
    });
    const { changes } = JSON.parse(
      (await run('policy', 'diff', 'announced', '--to', `${first + 1}`, '-o', 'json')).out,
    );
    expect(changes).toEqual([{ field: 'contact.link', before: null, after: 'https://example.com/x' }]);

    const back = (...more: string[]) =>
      run('policy', 'rollback', 'announced', '--to', `${first}`, '--reason', 'a test', ...more);
    expect(await back()).toMatchObject({ code: 3, err: expect.stringContaining('never came into force') });
    expect((await back('--effective-from', from)).out).toBe(
      `announced has policy version ${first + 3}, which says what version ${first} said, from ${from} on; until then it only warns.\n` +
        `Version ${first + 2}, which waited for ${from}, is replaced and will not come.\n`,
    );
    await writeFile(join(folder, 'whole.yaml'), 'block: { fixable: high }\n');
    const whole = ['policy', 'set', 'announced', 'whole.yaml', '--reason', 'a test'];
    expect((await run(...whole)).out).toBe(
      `announced has policy version ${first + 4} now.\nVersion ${first + 3}, which waited for ${from}, is replaced and will not come.\n`,
    );
    expect((await run(...whole)).out).toBe(`announced has policy version ${first + 4} now.\n`);
  });

  it('shows usage, sets quotas, and keeps the tags that rules keep', async () => {
    await run('project', 'create', 'store');
    for (const tag of ['v1', 'v2', 'main']) await pushImage(url, 'store/alpine', tag);
    expect((await run('project', 'usage')).out).toMatch(
      /PROJECT +USED +QUOTA +SHARE[^]*store +\d+ B +unlimited +- +2 +1/,
    );
    expect((await run('project', 'usage', 'store')).out).toMatch(/REPOSITORY[^]*store\/alpine +\d+ B +2 +1/);
    expect((await run('project', 'quota', 'store', '1MB')).out).toMatch(/quota +1\.0 MB\nshare +0 %/);
    expect(await run('project', 'quota', 'store', 'much')).toMatchObject({ code: 2 });
    expect((await run('project', 'quota', 'store', '1kB')).code).toBe(0);
    expect((await run('project', 'show', 'store')).out).toMatch(/quota +1\.0 kB/);
    const copy = ['mirror', 'copy', `${new URL(url).host}/back/alpine:3.10`, 'store/alpine:v3'];
    expect((await run(...copy)).code).toBe(0);
    await run('project', 'quota', 'store', '10B');
    const full = await run('mirror', 'copy', `${new URL(url).host}/back/alpine:3.10`, 'store/other:v3');
    expect(full.code).toBe(3);
    expect(full.err).toMatch(/project "store" uses \d+ B of its quota of 10 B/);

    expect((await run('project', 'immutable', 'store')).out).toBe('Every tag of store may be moved and deleted.\n');
    expect((await run('project', 'immutable', 'store', '--rule', 'v1', '--rule', '!main in none')).out).toBe(
      'These tags stay where they were first pushed:\n  v1\n  *,!main in none\n',
    );
    expect(await run('project', 'immutable', 'store', '--rule', 'v{1}')).toMatchObject({ code: 2 });
    expect((await run('retention', 'show', 'store')).out).toBe('store keeps every tag.\n');
    expect(await run('retention', 'set', 'store')).toMatchObject({ code: 2 });
    const set = await run('retention', 'set', 'store', '--keep', 'latest-pushed 1 of v*', '--keep', 'always of none');
    expect(set.out).toMatch(
      /^store keeps tags by these rules:\n {2}latest-pushed 1 of v\*\n {2}always of none\nSet by admin/,
    );
    expect(set.out).toContain('Of 4 tags, 2 would go');
    const dry = await run('retention', 'run', 'store', '--dry-run');
    expect(dry.out).toMatch(/would go +store\/alpine:main[^]*stays +store\/alpine:v1 .*immutable by the rule "v1"/);
    expect((await run('retention', 'run', 'store')).out).toContain('Of 4 tags, 2 went.');
    expect((await run('retention', 'history', 'store')).out).toMatch(
      /admin +4 +2 +latest-pushed 1 of v\*; always of none/,
    );
    expect((await run('ledger', 'list')).out).toMatch(/admin +retention\.remove +store\/alpine:main/);
    expect((await run('retention', 'set', 'store', '--off')).out).toContain('store keeps every tag.');
    expect((await run('project', 'immutable', 'store', '--off')).code).toBe(0);
  });

  it('takes requests to somebody else', async () => {
    const user = await run('user', 'create', 'carol');
    const password = /Password: (\S+)/.exec(user.out)?.[1] ?? '';
    await run('project', 'create', 'apps');
    await run('project', 'member', 'add', 'apps', 'carol');
    const carol = (...args: string[]) =>
      breakwater(args, '', { BREAKWATER_URL: url, BREAKWATER_USER: 'carol', BREAKWATER_PASSWORD: password });

    const until = new Date(Date.now() + 30 * 86_400_000).toISOString().slice(0, 10);
    const wanted = ['apps/web:1', 'CVE-2021-36159', '--until', until, '--reason', 'not reachable', '-o', 'json'];
    const request = await carol('exception', 'request', ...wanted);
    const { id, repository } = JSON.parse(request.out) as { id: string; repository: string };
    expect(repository).toBe('web');
    const own = await carol('exception', 'grant', 'apps', id, '--reason', 'mine');
    expect(own.code).toBe(3);
    const agreed = await run('exception', 'grant', 'apps', id, '--reason', 'agreed');
    expect(agreed.out).toMatch(/state +granted/);
    expect(agreed.err).toMatch(/^grant: CVE-2021-36159 .* in web, until .* asked for by carol \(revision 1\)$/m);
    const two = ['apps', 'CVE-2024-1', '--package', 'openssl', '--package-type', 'apk', '--version', '3.3.2-r0'];
    const [first, other] = await Promise.all(
      ['a', 'b'].map(async (why) => {
        const asked = await carol('exception', 'request', ...two, '--until', until, '--reason', why, '-o', 'json');
        const made = JSON.parse(asked.out) as { id: string; version: string };
        expect(made.version).toBe('3.3.2-r0');
        return made.id;
      }),
    );
    await carol('exception', 'edit', 'apps', first!, '--vulnerability', 'CVE-2024-2');
    expect((await run('exception', 'show', 'apps', first!)).out).toMatch(/revision +2: edited/);
    const unread = await run('exception', 'grant', 'apps', first!, '--reason', 'ok');
    expect([unread.code, unread.out]).toEqual([2, '']);
    expect(unread.err).toMatch(/edited since it was asked for; it is now revision 2: CVE-2024-2 .*--revision 2/);
    const together = ['exception', 'grant', 'apps', first!, other!, '--reason', 'ok'];
    expect((await run(...together)).err).toContain(`grant it with --revision ${first}=2`);
    expect((await run(...together, '--revision', '2')).err).toContain('say which one was read');
    expect((await run(...together, '--revision', `${first}=2`)).out).toMatch(
      /CVE-2024-2 [^]*CVE-2024-1 |CVE-2024-1 [^]*CVE-2024-2 /,
    );

    const analysis = ['--criteria', 'c', '--findings', 'f', '--owner', 'o', '--review-due', until];
    const source = await carol('trust', 'add', 'docker.io', ...analysis, '-o', 'json');
    expect(source.err).toContain('broad: anybody can publish on docker.io');
    const { id: entry } = JSON.parse(source.out) as { id: string };
    expect((await run('trust', 'approve', entry, '--reason', 'agreed')).out).toMatch(/state +approved/);
    expect((await run('ledger', 'list')).out).toMatch(/carol +exception\.request/);
    expect((await run('project', 'set', 'apps', '--untagged', 'delete')).out).toContain('without a tag are deleted');
    expect((await run('gc', 'run', '--dry-run')).out).toContain('Would delete: 0 manifests');
    expect((await run('gc', 'run')).out).toContain('Deleted: 0 manifests');
    expect((await run('rescan', '--failed')).out).toBe('Nothing failed to be analysed.\n');
    expect(await run('rescan')).toMatchObject({ code: 2, err: expect.stringContaining('one of both') });
    expect((await run('gc', 'status')).out).toMatch(/blobs in no repository +0 +0 +0 +0[^]*delay +24 h/);
    const manifests = (await run('guard', 'manifests')).out;
    expect(manifests).toContain('docker.io');
    expect(manifests).toContain('does not follow the cluster. It only warns');
    expect(manifests).not.toMatch(/^kind: K8sAllowedRepos$/m);
    const alone = await run('guard', 'manifests', '--failure-policy', 'Fail');
    expect(alone.err).toContain('failurePolicy Fail needs at least 2 replicas');
    const pair = await run('guard', 'manifests', '--failure-policy', 'Fail', '--replicas', '2');
    expect(pair.out).toContain('failurePolicy: Fail');
    expect((await run('db', 'status')).out).toContain('Alpine:v3.20');
    expect((await carol('user', 'list')).err).toContain('(as carol)');
  });

  it('prints manifests for guards that run by themselves without any server', async () => {
    const nowhere = { BREAKWATER_CONFIG_HOME: join(folder, 'nobody') };
    const named = await breakwater(['guard', 'manifests', '--service', 'w', '--repos', 'a.io, b.io/x'], '', nowhere);
    expect(named.out).toMatch(/name: w$/m);
    expect(named.out).toContain('"repos":["a.io","b.io/x"]');
    const bare = await breakwater(['guard', 'manifests', '--service', 'w'], '', nowhere);
    expect(bare.out).toContain('ValidatingWebhookConfiguration');
    expect(bare.out).not.toContain('require-harbor-repo');
    const lone = ['guard', 'manifests', '--service', 'w', '--failure-policy', 'Fail'];
    expect((await breakwater(lone, '', nowhere)).err).toContain('needs at least 2 replicas');
  });

  it('lets people change their own password, and goes on with the new one', async () => {
    await breakwater(['user', 'create', 'dora', '--password-stdin'], 'first horse', kept());
    const home = { BREAKWATER_CONFIG_HOME: join(folder, 'dora') };
    await breakwater(['login', url, '--user', 'dora', '--password-stdin'], 'first horse', home);
    const changed = await breakwater(['user', 'password', '--password-stdin'], 'second horse', home);
    expect(changed).toMatchObject({ code: 0, out: 'dora has a new password.\n' });
    expect((await breakwater(['project', 'list'], '', home)).code).toBe(0);
    const as = (password: string) => ({ BREAKWATER_URL: url, BREAKWATER_USER: 'dora', BREAKWATER_PASSWORD: password });
    expect((await breakwater(['project', 'list'], '', as('first horse'))).code).toBe(3);
    expect((await breakwater(['project', 'list'], '', as('second horse'))).code).toBe(0);
    expect((await breakwater(['user', 'password', 'admin', '--password-stdin'], 'x', home)).code).toBe(3);
  });

  const asRobot = (secret: string) => {
    const login = { BREAKWATER_USER: 'robot$machines+ci', BREAKWATER_PASSWORD: secret };
    return breakwater(['project', 'list'], '', { BREAKWATER_URL: url, ...login });
  };

  it('makes a robot, replaces its secret, and says who did', async () => {
    await run('project', 'create', 'machines');
    expect((await run('robot', 'create', 'ci')).err).toContain('say what it may do');
    expect((await run('robot', 'create', 'ci', '--project', 'machines', '--may', 'fly')).err).toContain(
      '"fly" is no right',
    );
    const made = await run(
      'robot',
      'create',
      'ci',
      '--project',
      'machines',
      '--may',
      'pull,push',
      '--description',
      'builds',
    );
    expect(made.out).toMatch(/^login +robot\$machines\+ci\n/);
    const first = /Secret: (bwr_[0-9A-Za-z]{42})/.exec(made.out)?.[1] ?? '';
    expect((await asRobot(first)).code).toBe(0);
    expect((await asRobot(first.slice(0, -2))).err).toContain('mistyped');
    const rotated = await run('robot', 'rotate', 'machines+ci', '--overlap', '48', '-o', 'json');
    const { secret, secrets } = JSON.parse(rotated.out) as { secret: string; secrets: unknown[] };
    expect(secrets).toHaveLength(2);
    expect([(await asRobot(first)).code, (await asRobot(secret)).code]).toEqual([0, 0]);
    expect((await run('robot', 'rotate', 'machines+ci')).err).toContain('finish that rotation first');
    expect((await run('robot', 'rotate', 'robot$machines+ci', '--finish')).code).toBe(0);
    expect([(await asRobot(first)).code, (await asRobot(secret)).code]).toEqual([3, 0]);
    expect((await run('robot', 'list')).out).toMatch(
      /machines\+ci +active +machines: repository:pull, repository:push +admin/,
    );
    await run('robot', 'disable', 'machines+ci');
    expect((await asRobot(secret)).code).toBe(3);
    await run('robot', 'delete', 'machines+ci');
    const log = await run('ledger', 'list', '--project', 'machines', '--action', 'robot', '--actor', 'admin');
    expect(log.out.match(/robot\.[a-z-]+/g)).toEqual([
      'robot.create',
      'robot.rotate',
      'robot.finish-rotation',
      'robot.disable',
      'robot.delete',
    ]);
    expect(log.out).not.toMatch(/bwr_/);
  });
});

async function makeRootFileSystem(root: string): Promise<void> {
  await mkdir(join(root, 'etc'), { recursive: true });
  await mkdir(join(root, 'lib/apk/db'), { recursive: true });
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(root, path), text);
}

const FILES: Readonly<Record<string, string>> = {
  'etc/os-release': 'ID=alpine\nVERSION_ID=3.10.9\nPRETTY_NAME="Alpine Linux v3.10"\n',
  'lib/apk/db/installed': 'P:apk-tools\nV:2.10.6-r0\nA:x86_64\no:apk-tools\nL:GPL-2.0\n\n',
};

/** Pushes an image with one layer, of the same files. */
async function pushImage(url: string, repository: string, tag: string): Promise<void> {
  const http = createHttpClient({ userAgent: 'test' });
  const credentials = { username: 'admin', password: PASSWORD };
  const client = createRegistryClient({ http, clock: systemClock }, { url, credentials });
  const layer = gzipSync(tarOf(FILES));
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }));
  const described = async (mediaType: string, bytes: Buffer) => {
    const digest = digestOf(bytes);
    await client.putBlob(repository, digest, bytes.length, [bytes] as unknown as AsyncIterable<Uint8Array>);
    return { mediaType, digest, size: bytes.length };
  };
  const mediaType = 'application/vnd.oci.image.manifest.v1+json';
  const manifest = {
    schemaVersion: 2,
    mediaType,
    config: await described('application/vnd.oci.image.config.v1+json', config),
    layers: [await described('application/vnd.oci.image.layer.v1.tar+gzip', layer)],
  };
  await client.putManifest(repository, tag, mediaType, Buffer.from(JSON.stringify(manifest)));
  await http.close();
}

/** A tar archive (ustar) of plain files. */
function tarOf(files: Readonly<Record<string, string>>): Buffer {
  const parts = Object.entries(files).flatMap(([name, text]) => {
    const data = Buffer.from(text);
    const header = Buffer.alloc(512);
    header.write(name, 0);
    header.write('0000644\0', 100);
    header.write(`${data.length.toString(8).padStart(11, '0')}\0`, 124);
    header.write('00000000000\0        0', 136);
    header.write('ustar\u000000', 257, 'latin1');
    const sum = header.reduce((total, byte) => total + byte, 0);
    header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
    return [header, data, Buffer.alloc(-data.length & 511)];
  });
  return Buffer.concat([...parts, Buffer.alloc(1024)]);
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 300; attempt += 1) {
    if (await fetch(`${url}/v2/`).then(Boolean, () => false)) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} did not start`);
}
