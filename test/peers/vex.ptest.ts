import { generateKeyPairSync } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { buildTrivyDatabase } from '../../bench/accuracy/peers/trivy-database.ts';
import { csafProblems, cycloneDxValidator } from '../schemas/validators.ts';
import { type BreakwaterServer, startBreakwater } from '../support/breakwater.ts';
import { dataPath } from '../support/data.ts';
import { writeOciLayout } from '../support/oci-layout.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { type Outcome, run, until } from '../support/program.ts';

const ROOTFS = ['images', 'alpine', 'alpine-minirootfs-3.20.3-x86_64.tar.gz'];
const reviewDue = '2027-06-30';

interface Finding {
  readonly id: string;
  readonly package: { readonly name: string; readonly version: string };
}

describe.skipIf(['cosign', 'oras'].some(isLeftOut))('VEX of real clients', () => {
  let server: BreakwaterServer;
  let work: string;
  let digest: string;
  let findings: readonly Finding[];

  beforeAll(async () => {
    work = await mkdtemp(join(tmpdir(), 'breakwater-vex-'));
    server = await startBreakwater();
    const layout = join(work, 'layout');
    await mkdir(layout);
    digest = writeOciLayout(layout, { layers: [dataPath(...ROOTFS)], name: '1' });
    await ok(cli('project', 'create', 'front'));
    await ok(
      run(requirePeer('oras'), [
        'cp',
        '--from-oci-layout',
        `${layout}:1`,
        '--to-plain-http',
        ...login('to-'),
        `${server.host}/front/app:1`,
      ]),
    );
    // The shipped advisories are unpacked while the server answers already.
    let screen = '';
    await until(
      async () => {
        const verdict = await cli('verdict', `front/app@${digest}`, '-o', 'json');
        screen = verdict.screen;
        ({ findings } = JSON.parse(verdict.stdout) as { findings: readonly Finding[] });
        return findings.length > 5;
      },
      { limitMs: 60_000, describe: () => `the image has hardly any findings: ${screen}` },
    );
    await ok(cli('project', 'set', 'front', '--block', 'low'));
    await ok(run(requirePeer('cosign'), ['generate-key-pair'], { folder: work, environment: { COSIGN_PASSWORD: '' } }));
    await ok(
      cli(
        'vex',
        'author',
        'add',
        'Acme security',
        '--key',
        join(work, 'cosign.pub'),
        '--product',
        'front/**',
        '--criteria',
        'reviews call graphs',
        '--findings',
        'two people sign',
        '--owner',
        'security',
        '--review-due',
        reviewDue,
      ),
    );
  });
  afterAll(async () => {
    await server?.stop();
    await rm(work, { recursive: true, force: true });
  });

  const cli = (...args: readonly string[]) => server.cli(args);
  const login = (prefix = '') => [`--${prefix}username=admin`, `--${prefix}password=${server.password}`];
  const image = () => `${server.host}/front/app@${digest}`;
  const ids = () => [...new Set(findings.map(({ id }) => id))];

  async function ok(outcome: Promise<Outcome>): Promise<Outcome> {
    const done = await outcome;
    expect(done.code, done.screen).toBe(0);
    return done;
  }

  /** OpenVEX that says an image is not affected by something. */
  async function documentOf(vulnerability: string, name: string): Promise<string> {
    const path = join(work, name);
    await writeFile(
      path,
      JSON.stringify({
        '@context': 'https://openvex.dev/ns/v0.2.0',
        '@id': `https://acme.example/${name}`,
        author: 'Acme',
        timestamp: '2026-01-01T00:00:00Z',
        version: 1,
        statements: [
          {
            vulnerability: { name: vulnerability },
            products: [{ '@id': `pkg:oci/app@${digest.replace(':', '%3A')}` }],
            status: 'not_affected',
            justification: 'vulnerable_code_not_in_execute_path',
          },
        ],
      }),
    );
    return path;
  }

  async function outcomesOf(vulnerability: string): Promise<readonly string[]> {
    const reply = await ok(cli('vex', 'explain', `front/app@${digest}`, vulnerability, '-o', 'json'));
    const { findings: found } = JSON.parse(reply.stdout) as { findings: { statements: { outcome: string }[] }[] };
    return found.flatMap(({ statements }) => statements.map(({ outcome }) => outcome));
  }

  async function requestsFor(vulnerability: string): Promise<number> {
    const { stdout } = await ok(cli('exception', 'list', 'front', '-o', 'json'));
    const items = JSON.parse(stdout) as { vulnerability: string; digest?: string }[];
    return items.filter((one) => one.vulnerability === vulnerability).length;
  }

  it('counts when cosign attests it with the key of a declared author', async () => {
    const [vulnerability = ''] = ids();
    const config = join(work, 'signing-config.json');
    await ok(run(requirePeer('cosign'), ['signing-config', 'create', '--out', config]));
    const predicate = await documentOf(vulnerability, 'attested.json');
    await ok(
      run(
        requirePeer('cosign'),
        [
          'attest',
          '--yes',
          '--type',
          'openvex',
          '--predicate',
          predicate,
          '--key',
          join(work, 'cosign.key'),
          '--signing-config',
          config,
          '--allow-http-registry',
          '--allow-insecure-registry',
          `--registry-username=admin`,
          `--registry-password=${server.password}`,
          image(),
        ],
        { environment: { COSIGN_PASSWORD: '' } },
      ),
    );
    const outcomes = await outcomesOf(vulnerability);
    expect(new Set(outcomes)).toEqual(new Set(['decides']));
    expect(await requestsFor(vulnerability)).toBe(0);
    const { stdout } = await cli('verdict', `front/app@${digest}`, '-o', 'json');
    const { verdict } = JSON.parse(stdout) as {
      verdict: { reasons: { vulnerability?: string; kind: string; vex?: { author: string } }[] };
    };
    const reasons = verdict.reasons.filter((reason) => reason.vulnerability === vulnerability);
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason).toMatchObject({ kind: 'allow', vex: { author: 'Acme security' } });
  });

  it('does nothing but ask for an exception when somebody hangs it on the image without a signature', async () => {
    const [, vulnerability = ''] = ids();
    const path = await documentOf(vulnerability, 'hung.json');
    await ok(
      run(
        requirePeer('oras'),
        [
          'attach',
          '--plain-http',
          ...login(),
          '--artifact-type',
          'application/vnd.openvex+json',
          image(),
          'hung.json:application/vnd.openvex+json',
        ],
        { folder: work },
      ),
    );
    expect(path).toContain(work);
    expect(new Set(await outcomesOf(vulnerability))).toEqual(new Set(['objected']));
    expect(await requestsFor(vulnerability)).toBe(1);
    const { stdout } = await cli('verdict', `front/app@${digest}`, '-o', 'json');
    expect(stdout).not.toContain('hung.json');
  });

  it('counts from a file that cosign signed', async () => {
    const [, , vulnerability = ''] = ids();
    const path = await documentOf(vulnerability, 'file.json');
    const config = join(work, 'signing-config-2.json');
    await ok(run(requirePeer('cosign'), ['signing-config', 'create', '--out', config]));
    const bundle = join(work, 'file.bundle');
    await ok(
      run(
        requirePeer('cosign'),
        ['sign-blob', '--yes', '--key', join(work, 'cosign.key'), '--signing-config', config, '--bundle', bundle, path],
        { environment: { COSIGN_PASSWORD: '' } },
      ),
    );
    const taken = await ok(cli('vex', 'import', path, '--signature', bundle, '--project', 'front'));
    expect(taken.stdout).toContain('signed by Acme security; it counts from now on');
    expect(new Set(await outcomesOf(vulnerability))).toEqual(new Set(['decides']));
  });

  it('goes out in forms that validators of others take, and comes back signed', async () => {
    const written = async (form: string): Promise<string> => {
      const out = join(work, `out.${form}.json`);
      await ok(cli('vex', 'export', `front/app@${digest}`, '--form', form, '--out', out));
      return out;
    };
    const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));
    expect(await csafProblems(await json(await written('csaf')))).toEqual([]);
    expect(cycloneDxValidator()(await json(await written('cyclonedx')))).toEqual([]);
    const checked = await ok(run(requirePeer('openvex-check'), [await written('openvex')]));
    const read = checked.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { vulnerability: string; status: string });
    expect(new Set(read.map(({ vulnerability }) => vulnerability))).toEqual(new Set(ids()));
    expect(read.filter(({ status }) => status === 'not_affected')).toHaveLength(2);
    const key = join(work, 'signing.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const signed = await ok(cli('vex', 'export', 'front/app', '--key', key));
    const again = await ok(cli('vex', 'export', 'front/app', '--key', key));
    expect(again.stdout).toBe(signed.stdout);
  });

  it.skipIf(isLeftOut('trivy'))('makes Trivy leave out exactly what it says is harmless', async () => {
    const trivy = requirePeer('trivy');
    // It pulls like anybody else.
    await ok(cli('project', 'set', 'front', '--block', 'off'));
    const cache = join(work, 'trivy-cache');
    await mkdir(join(cache, 'db'), { recursive: true });
    const built = await buildTrivyDatabase(join(work, 'trivy-database'));
    for (const name of await readdir(built)) await copyFile(join(built, name), join(cache, 'db', name));
    const scan = async (...more: readonly string[]): Promise<readonly string[]> => {
      const offline = ['--skip-version-check', '--skip-db-update', '--skip-java-db-update', '--offline-scan'];
      const { stdout } = await ok(
        run(trivy, [
          'image',
          '--image-src',
          'remote',
          '--insecure',
          ...login(),
          '--cache-dir',
          cache,
          ...offline,
          '--scanners',
          'vuln',
          '-q',
          '-f',
          'json',
          ...more,
          image(),
        ]),
      );
      return trivyFindings.parse(JSON.parse(stdout)).sort();
    };
    const document = join(work, 'trivy.openvex.json');
    await ok(cli('vex', 'export', `front/app@${digest}`, '--out', document));
    const { statements } = JSON.parse(await readFile(document, 'utf8')) as {
      statements: {
        status: string;
        vulnerability: { name: string };
        products: { subcomponents: { '@id': string }[] }[];
      }[];
    };
    const harmless = new Set(
      statements
        .filter(({ status }) => status === 'not_affected' || status === 'fixed')
        .flatMap(({ vulnerability, products }) =>
          products.flatMap(({ subcomponents }) =>
            subcomponents.map((one) => `${vulnerability.name} ${packageOf(one['@id'])}`),
          ),
        ),
    );
    const all = await scan();
    expect(all.filter((one) => harmless.has(one)).length).toBeGreaterThan(0);
    expect(await scan('--vex', document)).toEqual(all.filter((one) => !harmless.has(one)));
  });
});

function packageOf(purl: string): string {
  return purl.replace(/^pkg:apk\/alpine\//, '').replace(/[?#].*$/, '');
}

const trivyFindings = z
  .object({
    Results: z
      .array(
        z.object({
          Vulnerabilities: z
            .array(z.object({ VulnerabilityID: z.string(), PkgName: z.string(), InstalledVersion: z.string() }))
            .optional(),
        }),
      )
      .optional(),
  })
  .transform(({ Results = [] }) =>
    Results.flatMap(({ Vulnerabilities = [] }) =>
      Vulnerabilities.map((one) => `${one.VulnerabilityID} ${one.PkgName}@${one.InstalledVersion}`),
    ),
  );
