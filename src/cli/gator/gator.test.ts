import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { templateOf } from '../../../test/support/library-templates.ts';
import { KNOWN_PROGRAMS } from '../../gator/library/programs.ts';
import type { Cli } from '../cli.ts';
import { gatorCommand } from '../commands/gator.ts';

const [allowedRepos] = [...KNOWN_PROGRAMS.values()].filter(
  ({ meaning, v1 }) => v1 && meaning.kind === 'K8sAllowedRepos',
);
if (!allowedRepos) throw new Error('there is no current K8sAllowedRepos');
const TEMPLATE = templateOf(allowedRepos);
const CONSTRAINT = {
  apiVersion: 'constraints.gatekeeper.sh/v1beta1',
  kind: 'K8sAllowedRepos',
  metadata: { name: 'ours' },
  spec: { parameters: { repos: ['harbor.example.com/'] } },
};
const BAD_POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'bad', namespace: 'prod' },
  spec: { containers: [{ name: 'web', image: 'nginx' }], initContainers: [{ name: 'init', image: 'nginx' }] },
};
const GOOD_POD = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'good' },
  spec: { containers: [{ name: 'web', image: 'harbor.example.com/x' }] },
};
const DEPLOYMENT = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace: 'prod' },
  spec: { template: { metadata: { labels: { app: 'web' } }, spec: BAD_POD.spec } },
};
const EXPANSION = {
  apiVersion: 'expansion.gatekeeper.sh/v1beta1',
  kind: 'ExpansionTemplate',
  metadata: { name: 'expand-deployments' },
  spec: {
    applyTo: [{ groups: ['apps'], kinds: ['Deployment'], versions: ['v1'] }],
    templateSource: 'spec.template',
    generatedGVK: { kind: 'Pod', group: '', version: 'v1' },
    enforcementAction: 'warn',
  },
};

function suiteOf(...tests: unknown[]): unknown {
  return { kind: 'Suite', apiVersion: 'test.gatekeeper.sh/v1alpha1', tests };
}

function testOf(cases: readonly unknown[], more: object = {}): unknown {
  return { name: 'repos', template: 'template.yaml', constraint: 'constraint.yaml', cases, ...more };
}

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'breakwater-gator-'));
  await write({ 'template.yaml': TEMPLATE, 'constraint.yaml': CONSTRAINT, 'bad.yaml': BAD_POD, 'good.yaml': GOOD_POD });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function write(files: Readonly<Record<string, unknown>>): Promise<void> {
  for (const [name, value] of Object.entries(files)) {
    await mkdir(dirname(join(folder, name)), { recursive: true });
    await writeFile(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  }
}

async function gator(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const said = { code: 0, out: '', err: '' };
  const input = new PassThrough();
  input.end();
  const cli = {
    print: (text: string) => {
      said.out += `${text}\n`;
    },
    note: (text: string) => {
      said.err += `${text}\n`;
    },
    exitWith: (code: number) => {
      said.code = code;
    },
    input,
    output: {
      write: (text: string) => {
        said.out += text;
        return true;
      },
    },
  } as unknown as Cli;
  const command = gatorCommand(cli).exitOverride();
  for (const child of command.commands) child.exitOverride().configureOutput({ writeErr: () => undefined });
  await command.parseAsync(args, { from: 'user' });
  return {
    ...said,
    out: said.out.replaceAll(folder, 'DIR').replaceAll(/\d+\.\d{3}s/g, 'TIME'),
    err: said.err.replaceAll(folder.slice(1), 'DIR'),
  };
}

describe('breakwater gator verify', () => {
  const right = testOf([
    { name: 'good', object: 'good.yaml', assertions: [{ violations: 'no' }] },
    { name: 'bad', object: 'bad.yaml', assertions: [{ violations: 2 }, { violations: 1, message: '^initContainer' }] },
  ]);
  const wrong = testOf([
    { name: 'bad', object: 'bad.yaml', assertions: [{ violations: 'no', message: '<web>' }] },
    { name: 'nowhere', object: 'nowhere.yaml', assertions: [{}] },
    { name: 'left out', object: 'bad.yaml', skip: true, assertions: [{}] },
  ]);

  it('prints what passed as gator prints it', async () => {
    await write({ 'suite.yaml': suiteOf(right) });
    expect(await gator('verify', join(folder, 'suite.yaml'))).toEqual({
      code: 0,
      out: 'ok\tDIR/suite.yaml\tTIME\nPASS\n\n',
      err: '',
    });
  });

  it('prints what failed, every case with -v, and ends with 1', async () => {
    await write({ 'suite.yaml': suiteOf(right, wrong) });
    const path = join(folder, 'suite.yaml');
    const said = await gator('verify', '-v', path);
    expect(said.code).toBe(1);
    const file = `${folder.slice(1)}/nowhere.yaml`;
    expect(said.out).toBe(
      `${[
        '=== RUN   repos',
        '    === RUN   good',
        '    --- PASS: good\t(TIME)',
        '    === RUN   bad',
        '    --- PASS: bad\t(TIME)',
        '--- PASS: repos\t(TIME)',
        '=== RUN   repos',
        '    === RUN   bad',
        '    --- FAIL: bad\t(TIME)',
        '        unexpected number of violations: got 1 violations containing "<web>" but want none: got messages [container <web> has an invalid image repo <nginx>, allowed repos are ["harbor.example.com/"] initContainer <init> has an invalid image repo <nginx>, allowed repos are ["harbor.example.com/"]]',
        '    === RUN   nowhere',
        '    --- FAIL: nowhere\t(TIME)',
        `        open ${file}: no such file or directory`,
        '    === SKIP  left out',
        '--- FAIL: repos\t(TIME)',
        'FAIL\tDIR/suite.yaml\tTIME',
        'FAIL',
      ].join('\n')}\n\n`,
    );
  });

  it('finds suites below a folder, runs those that are asked for, and passes over what is no suite', async () => {
    await write({
      'a/suite.yaml': suiteOf(
        testOf([{ name: 'x', object: '../bad.yaml', assertions: [{}] }], {
          template: '../template.yaml',
          constraint: '../constraint.yaml',
        }),
      ),
    });
    await write({ 'b/suite.yml': suiteOf(testOf([], { name: 'other', template: 'nowhere' })), 'b/notes.txt': 'x' });
    expect((await gator('verify', folder)).out).toBe('PASS\n\n');
    expect(await gator('verify', `${folder}/...`)).toMatchObject({
      code: 1,
      out: expect.stringContaining('FAIL\tDIR/b/suite.yml'),
    });
    expect(await gator('verify', `${folder}/...`, '--run', 'repos//^x$')).toMatchObject({ code: 0 });
  });

  it('never passes a template it does not know', async () => {
    const foreign = JSON.parse(JSON.stringify(TEMPLATE).replace('invalid image repo', 'forbidden image repo'));
    await write({
      'suite.yaml': suiteOf(testOf([{ name: 'x', object: 'good.yaml', assertions: [{ violations: 'no' }] }])),
      'template.yaml': foreign,
    });
    const said = await gator('verify', join(folder, 'suite.yaml'));
    expect(said.code).toBe(1);
    expect(said.out).toContain("is not one of the Gatekeeper library's that are known here");
  });

  it('with --library names and counts what is not ours, and ends by ours', async () => {
    const other = { ...TEMPLATE, spec: { crd: { spec: { names: { kind: 'K8sRequiredLabels' } } } } };
    await write({
      'ours/suite.yaml': suiteOf(testOf([], { template: '../template.yaml', constraint: '../constraint.yaml' })),
    });
    await write({ 'theirs/suite.yaml': suiteOf(testOf([], {})), 'theirs/template.yaml': other });
    const said = await gator('verify', '--library', folder);
    expect(said).toMatchObject({ code: 0 });
    expect(said.out).toContain(
      'not ours\tDIR/theirs/suite.yaml\tK8sRequiredLabels\n1 suite of our kinds, 1 suite of others not run\n',
    );
    expect((await gator('verify', `${folder}/...`)).code).toBe(1);
  });

  it('with --breakwater judges as the guard does', async () => {
    const image = { ...GOOD_POD, spec: { ...GOOD_POD.spec, volumes: [{ name: 'v', image: { reference: 'nginx' } }] } };
    await write({ 'image.yaml': image, 'deployment.yaml': DEPLOYMENT });
    await write({
      'suite.yaml': suiteOf(
        testOf([
          { name: 'volume', object: 'image.yaml', assertions: [{ violations: 1, message: 'imageVolume' }] },
          { name: 'template', object: 'deployment.yaml', assertions: [{ violations: 2 }] },
        ]),
      ),
    });
    const path = join(folder, 'suite.yaml');
    expect(await gator('verify', '--breakwater', path)).toMatchObject({ code: 0 });
    expect(await gator('verify', path)).toMatchObject({ code: 1 });
  });

  it('expects constraints to be invalid where a test says so', async () => {
    await write({ 'broken.yaml': { ...CONSTRAINT, spec: { parameters: { repos: 'text' } } } });
    await write({ 'suite.yaml': suiteOf(testOf([], { constraint: 'broken.yaml', invalid: true })) });
    expect((await gator('verify', join(folder, 'suite.yaml'))).code).toBe(0);
    await write({ 'suite.yaml': suiteOf(testOf([], { invalid: true })) });
    expect((await gator('verify', join(folder, 'suite.yaml'))).out).toContain(
      'constraint should have failed schema validation',
    );
  });

  it('reads what hostile folders hold within bounds', async () => {
    await write({ 'suite.yaml': suiteOf(right) });
    await symlink(folder, join(folder, 'again'));
    await symlink(join(folder, 'nothing'), join(folder, 'loose.txt'));
    expect((await gator('verify', `${folder}/...`)).code).toBe(0);

    execFileSync('mkfifo', [join(folder, 'pipe')]);
    await write({ 'only/huge': '' });
    await truncate(join(folder, 'only/huge'), 64 * 1024 * 1024);
    const files = ['../pipe', 'huge', '../../../../../../dev/zero', '.'];
    const cases = files.map((object) => ({ name: object, object, assertions: [{}] }));
    await write({
      'only/suite.yaml': suiteOf(testOf(cases, { template: '../template.yaml', constraint: '../constraint.yaml' })),
    });
    const said = await gator('verify', join(folder, 'only/suite.yaml'));
    expect(said.code).toBe(1);
    expect(said.out.match(/--- FAIL: /g)).toHaveLength(files.length + 1);
    expect(said.out).toContain('is larger than');
    expect(said.out.match(/is no file/g)).toHaveLength(2);
  });

  it('says which file cannot be read', async () => {
    await write({ 'suite.yaml': suiteOf(right), 'broken.yaml': 'a: [' });
    const said = await gator('verify', folder);
    expect(said.code).toBe(1);
    expect(said.err).toContain('Error: listing test files: invalid yaml: parsing yaml file "DIR/broken.yaml"');
    expect((await gator('verify', join(folder, 'nowhere'))).err).toContain('no such file or directory');
    expect((await gator('verify', join(folder, 'suite.yaml'), '--run', '[')).err).toContain('invalid test filter');
  });
});

describe('breakwater gator test', () => {
  const all = [TEMPLATE, CONSTRAINT, BAD_POD, GOOD_POD, DEPLOYMENT, EXPANSION];

  it('prints violations and ends with 1 only for what is denied', async () => {
    await write({ 'all/all.yaml': all.map((one) => JSON.stringify(one)).join('\n---\n') });
    const said = await gator('test', '-f', join(folder, 'all'));
    expect(said.code).toBe(1);
    expect(said.out).toBe(
      [
        String.raw`v1/Pod prod/bad: ["ours"] Message: "container <web> has an invalid image repo <nginx>, allowed repos are [\"harbor.example.com/\"]"`,
        String.raw`v1/Pod prod/bad: ["ours"] Message: "initContainer <init> has an invalid image repo <nginx>, allowed repos are [\"harbor.example.com/\"]"`,
        String.raw`apps/v1/Deployment prod/web: ["ours"] Message: "[Implied by expand-deployments] container <web> has an invalid image repo <nginx>, allowed repos are [\"harbor.example.com/\"]"`,
        String.raw`apps/v1/Deployment prod/web: ["ours"] Message: "[Implied by expand-deployments] initContainer <init> has an invalid image repo <nginx>, allowed repos are [\"harbor.example.com/\"]"`,
        '',
      ].join('\n'),
    );
    expect((await gator('test', '-f', join(folder, 'all'), '--deny-only')).out.match(/Message/g)).toHaveLength(2);
    const warns = { ...CONSTRAINT, spec: { ...CONSTRAINT.spec, enforcementAction: 'warn' } };
    await write({ 'warns/all.json': [TEMPLATE, warns, BAD_POD].map((one) => JSON.stringify(one)).join('\n') });
    const warned = await gator('test', '-f', join(folder, 'warns'), '-o', 'json');
    expect(warned.code).toBe(0);
    expect(JSON.parse(warned.out)).toMatchObject([
      { enforcementAction: 'warn' },
      { msg: expect.stringContaining('init') },
    ]);
  });

  it('says what is wrong with the input', async () => {
    await write({ 'kindless.yaml': 'apiVersion: v1' });
    expect(await gator('test', '-f', join(folder, 'kindless.yaml'))).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no kind'),
    });
    expect(await gator('test')).toMatchObject({ code: 1, err: 'no input data identified\n' });
    expect((await gator('test', '-f', join(folder, 'constraint.yaml'))).err).toContain(
      'template "k8sallowedrepos" not found',
    );
    await expect(gator('test', '-i', 'ghcr.io/x/y')).rejects.toThrow('OCI images');
  });
});

describe('breakwater gator expand', () => {
  it('prints what objects make', async () => {
    await write({ 'all/a.yaml': JSON.stringify(EXPANSION), 'all/b.yaml': JSON.stringify(DEPLOYMENT) });
    const said = await gator('expand', '-n', join(folder, 'all'));
    expect(said).toEqual({
      code: 0,
      err: '',
      out: `${[
        'apiVersion: v1',
        'kind: Pod',
        'metadata:',
        '  labels:',
        '    app: web',
        '  name: web-pod',
        '  namespace: prod',
        '  ownerReferences:',
        '  - apiVersion: apps/v1',
        '    kind: Deployment',
        '    name: web',
        '    uid: ""',
        'spec:',
        '  containers:',
        '  - image: nginx',
        '    name: web',
        '  initContainers:',
        '  - image: nginx',
        '    name: init',
      ].join('\n')}\n\n`,
    });
  });

  it('refuses mutators and circles', async () => {
    const assign = { apiVersion: 'mutations.gatekeeper.sh/v1', kind: 'Assign', metadata: { name: 'a' } };
    await write({ 'm.yaml': assign });
    expect((await gator('expand', '-n', join(folder, 'm.yaml'))).err).toContain('is a mutator');
    const back = {
      ...EXPANSION,
      metadata: { name: 'back' },
      spec: {
        ...EXPANSION.spec,
        applyTo: [{ groups: [''], kinds: ['Pod'], versions: ['v1'] }],
        generatedGVK: { group: 'apps', version: 'v1', kind: 'Deployment' },
      },
    };
    await write({ 'c/a.yaml': EXPANSION, 'c/b.yaml': back });
    expect((await gator('expand', '-n', join(folder, 'c'))).err).toContain('template forms expansion cycle');
  });
});

describe('breakwater gator bench', () => {
  it('measures, keeps a baseline and compares with it', async () => {
    await write({ 'in/t.yaml': TEMPLATE, 'in/c.yaml': CONSTRAINT, 'in/p.yaml': BAD_POD });
    const baseline = join(folder, 'baseline.json');
    const args = ['bench', '-f', join(folder, 'in'), '-n', '20', '--warmup', '1'];
    const said = await gator(...args, '-o', 'json', '--save', baseline);
    expect(JSON.parse(said.out)).toMatchObject([
      { engine: 'breakwater', templateCount: 1, objectCount: 1, totalReviews: 20, violationCount: 40 },
    ]);
    const compared = await gator(...args, '--compare', baseline, '--threshold', '1000000');
    expect(compared.code).toBe(0);
    expect(compared.out).toContain('=== Baseline Comparison: BREAKWATER Engine ===');
    expect(compared.out).toContain('✓ No significant regressions (threshold: 1000000.0%)');
  });

  it('says what is missing', async () => {
    expect((await gator('bench', '-f', join(folder, 'good.yaml'))).err).toContain(
      'no ConstraintTemplates found in input',
    );
    expect((await gator('bench', '-f', folder, '--engine', 'cel')).err).toContain('the only engine is breakwater');
    expect((await gator('bench')).err).toContain('at least one --filename');
  });
});
