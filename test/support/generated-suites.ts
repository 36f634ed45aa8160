import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CONSTRAINT_KINDS } from '../../src/constraints/kinds/kinds.ts';
import { readExpansions } from '../../src/gator/client/expansion.ts';
import { readObject, readObjects } from '../../src/gator/documents.ts';
import { GatorError } from '../../src/gator/errors.ts';
import { KNOWN_PROGRAMS, type RegoProgram } from '../../src/gator/library/programs.ts';
import { regoJudge } from '../../src/gator/verify/run.ts';
import { templateOf } from './library-templates.ts';
import { createRandom, type Random } from './random.ts';

const PROGRAMS = [...KNOWN_PROGRAMS.values()];
const IMAGES = [
  'nginx',
  'nginx:latest',
  'nginx:1.27',
  'docker.io/library/nginx:1.27',
  'harbor.example.com/team/app:v1',
  'harbor.example.com.evil.io/x',
  'harbor.example.com:5000/team/app',
  'localhost:5000/x:latest',
  'openpolicyagent/opa:0.9.2',
  `nginx@sha256:${'a'.repeat(64)}`,
  `nginx:latest@sha256:${'b'.repeat(64)}`,
  'nginx@sha256:1',
  'x@y:z',
  '',
  'UPPER/Case',
  'with "quotes" and \\',
  'tab\there',
  'ünïcode/é:1',
];
const ENTRIES = [
  'harbor.example.com',
  'harbor.example.com/',
  'docker.io/library/',
  'nginx',
  'nginx*',
  'openpolicyagent/',
  'openpolicyagent/*',
  '*',
  '',
  'harbor.example.com/team/app:v1',
  'latest',
  '1.27',
  'v1',
  'quo"ted',
];
const NAMES = ['web', 'side-car', 'init', 'a "b"', 'é', ''];
const NAMESPACES = ['default', 'prod', 'kube-system', 'team-a', ''];
const MESSAGES = [
  'container',
  'initContainer',
  '^container',
  'Container',
  'nginx',
  '<web>',
  'allowed (repos|images)',
  'disallowed',
  'a{2}',
  '[',
  '(?i)INITCONTAINER',
  '\\bnginx\\b',
  'Implied by',
  'unable to match',
  '(?=x)',
  'did.*tag',
  '',
];

/** Files of one suite by name; `suite.yaml` among them. */
export type SuiteFiles = Readonly<Record<string, string>>;

/** One of many suites: the same for the same seed. All that gator reads is in it, right and wrong. */
export function generateSuite(seed: number): SuiteFiles {
  const random = createRandom(seed);
  const files: Record<string, string> = {};
  const tests = Array.from({ length: random.between(1, 2) }, (_, at) => generateTest(random, files, `t${at}`));
  const suite = {
    kind: 'Suite',
    apiVersion: 'test.gatekeeper.sh/v1alpha1',
    metadata: { name: `generated-${seed}` },
    ...(random.odd(0.05) ? { skip: true } : {}),
    tests,
  };
  files['suite.yaml'] = json(suite);
  return files;
}

/** Writes a suite's files into a folder. */
export async function writeSuite(folder: string, files: SuiteFiles): Promise<void> {
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)));
}

/** JSON is YAML, and both programs read it as such. */
function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 1)}\n`;
}

function generateTest(random: Random, files: Record<string, string>, name: string): Record<string, unknown> {
  const program = random.pick(PROGRAMS);
  files[`${name}-template.yaml`] = json(generateTemplate(random, program));
  files[`${name}-constraint.yaml`] = json(generateConstraint(random, program.meaning.kind));
  const expands = random.chance(0.35);
  if (expands) files[`${name}-expansion.yaml`] = generateExpansions(random);
  files[`${name}-namespaces.yaml`] = generateNamespaces(random);
  const found = messagesBy(files, name);
  const cases = Array.from({ length: random.between(1, 4) }, (_, at) =>
    generateCase(random, files, name, `c${at}`, found),
  );
  const missing = random.odd(0.04);
  return {
    name: `${name}-${program.meaning.kind}`,
    template: missing ? 'nowhere.yaml' : random.odd(0.02) ? '' : `${name}-template.yaml`,
    constraint: random.odd(0.04) ? '' : `${name}-constraint.yaml`,
    ...(expands ? { expansion: `${name}-expansion.yaml` } : {}),
    ...(random.odd(0.1) ? { invalid: true } : {}),
    ...(random.odd(0.08) ? { skip: true } : {}),
    cases,
  };
}

/** What we find in an object, so that most assertions are right; where gator finds something else, the suites end apart. */
function messagesBy(
  files: Readonly<Record<string, string>>,
  test: string,
): (object: Record<string, unknown>) => readonly string[] {
  return (object) => {
    const judge = regoJudge();
    const expansion = files[`${test}-expansion.yaml`] ?? '';
    try {
      judge.addTemplate(readObject(files[`${test}-template.yaml`] ?? ''));
      judge.addConstraint(readObject(files[`${test}-constraint.yaml`] ?? ''));
      return judge.judge(object, readExpansions(readObjects(expansion)));
    } catch (error) {
      if (error instanceof GatorError) return [];
      throw error;
    }
  };
}

function generateTemplate(random: Random, program: RegoProgram): Record<string, unknown> {
  const template = templateOf(program, random.chance(0.15) ? 'templates.gatekeeper.sh/v1beta1' : undefined);
  if (!random.odd(0.12)) return template;
  const spec = template['spec'] as { targets: Record<string, unknown>[]; crd: { spec: { names: { kind: string } } } };
  switch (random.between(0, 4)) {
    case 0:
      return { ...template, kind: 'Template' };
    case 1:
      return { ...template, metadata: { name: 'other' } };
    case 2:
      spec.targets.push({ ...spec.targets[0] });
      return template;
    case 3:
      spec.crd.spec.names.kind = '';
      return template;
    default:
      return { ...template, apiVersion: 'templates.gatekeeper.sh/v7' };
  }
}

/** A constraint, now and then one that its template refuses. */
export function generateConstraint(random: Random, kind: string): Record<string, unknown> {
  const odd = random.odd(0.2) ? random.between(0, 6) : -1;
  const spec: Record<string, unknown> = {
    ...(random.chance(0.75) ? { match: generateMatch(random) } : {}),
    ...(random.chance(0.93) ? { parameters: generateParameters(random, kind) } : {}),
    ...generateActions(random),
    ...(odd === 0 ? { unknown: 1 } : {}),
  };
  return {
    apiVersion: `constraints.gatekeeper.sh/${odd === 1 ? 'v1' : random.chance(0.1) ? 'v1alpha1' : 'v1beta1'}`,
    kind: odd === 2 ? random.pick(CONSTRAINT_KINDS) : kind,
    metadata: { name: odd === 3 ? 'Not A Name' : odd === 4 ? 'n'.repeat(70) : random.pick(['rule', 'a.b', 'x-1']) },
    ...(odd === 5 ? {} : { spec }),
  };
}

function generateParameters(random: Random, kind: string): unknown {
  const entries = () => random.some(ENTRIES, 3);
  const odd = random.odd(0.15);
  const wrong = random.pick([null, 'text', [1], { a: 1 }, 5, [null], true]);
  const list = odd ? wrong : entries();
  const extra = random.odd(0.05) ? { unknown: ['x'] } : {};
  switch (kind) {
    case 'K8sAllowedReposv2':
      return { allowedImages: list, ...extra };
    case 'K8sDisallowedTags':
      return {
        ...(random.chance(0.9) ? { tags: list } : {}),
        ...(random.chance(0.4) ? { exemptImages: entries() } : {}),
        ...extra,
      };
    case 'K8sImageDigests':
      return { ...(random.chance(0.5) ? { exemptImages: list } : {}), ...extra };
    default:
      return { ...(random.chance(0.95) ? { repos: list } : {}), ...extra };
  }
}

function generateActions(random: Random): Record<string, unknown> {
  const points = ['*', 'gator.gatekeeper.sh', 'audit.gatekeeper.sh', 'validation.gatekeeper.sh', 'vap.k8s.io'];
  const action = random.pick([undefined, undefined, 'deny', 'warn', 'dryrun', 'scoped', 'scoped', 'odd', '']);
  if (action === undefined) return {};
  if (action !== 'scoped' || random.odd(0.1)) return { enforcementAction: action };
  const scopedEnforcementActions = Array.from({ length: random.between(0, 3) }, () => ({
    action: random.pick(['deny', 'warn', 'dryrun']),
    enforcementPoints: random.some(points, 2).map((name) => ({ name })),
  }));
  return { enforcementAction: action, scopedEnforcementActions };
}

function generateSelector(random: Random): unknown {
  if (random.odd(0.1)) return random.pick<unknown>([null, 'text', { matchLabels: { a: 1 } }, { odd: 1 }, {}]);
  const operator = random.pick(['In', 'NotIn', 'Exists', 'DoesNotExist']);
  const right =
    operator === 'In' || operator === 'NotIn' ? { values: ['web', ...random.some(['db', 'operator'], 2)] } : {};
  const wrong = random.some(['web', 'db', 'operator'], 2);
  const expression = {
    key: random.odd(0.1) ? 'not a key' : random.pick(['app', 'owner']),
    operator: random.odd(0.1) ? 'Odd' : operator,
    ...(random.odd(0.2) ? { values: wrong } : right),
  };
  return {
    ...(random.chance(0.5) ? { matchLabels: { app: random.pick(['web', 'db']) } } : {}),
    ...(random.chance(0.5) ? { matchExpressions: [expression] } : {}),
  };
}

function generateMatch(random: Random): unknown {
  const patterns = () =>
    random.odd(0.1) ? ['Odd_Pattern'] : random.some(['default', 'prod', 'kube-*', '*-system', '*a*', 'team-a', '*'], 2);
  const kinds = ['Pod', 'Deployment', '*', 'Namespace', 'Widget'];
  return {
    ...(random.chance(0.6)
      ? {
          kinds: Array.from({ length: random.between(0, 2) }, () => ({
            ...(random.chance(0.9) ? { apiGroups: random.some(['', 'apps', '*', 'example.com'], 2) } : {}),
            ...(random.chance(0.9) ? { kinds: random.some(kinds, 2) } : {}),
          })),
        }
      : {}),
    ...(random.chance(0.15) ? { scope: random.pick(['Cluster', 'Namespaced', '*', 'cluster']) } : {}),
    ...(random.chance(0.15) ? { namespaces: patterns() } : {}),
    ...(random.chance(0.15) ? { excludedNamespaces: patterns() } : {}),
    ...(random.chance(0.15) ? { labelSelector: generateSelector(random) } : {}),
    ...(random.chance(0.15) ? { namespaceSelector: generateSelector(random) } : {}),
    ...(random.chance(0.12) ? { name: random.pick(['pod', 'po*', '*od', '*o*', 'other', '*', '']) } : {}),
    ...(random.chance(0.15) ? { source: random.odd(0.1) ? 'Odd' : random.pick(['All', 'Original', 'Generated']) } : {}),
  };
}

function generateExpansions(random: Random): string {
  const one = (name: string, from: string, to: string): Record<string, unknown> => ({
    apiVersion: 'expansion.gatekeeper.sh/v1beta1',
    kind: random.odd(0.05) ? 'Expansion' : 'ExpansionTemplate',
    metadata: { name },
    spec: {
      applyTo: [{ groups: ['apps', 'example.com', ''], kinds: [from], versions: ['v1'] }],
      templateSource: random.odd(0.2) ? random.pick(['spec.nothing', 'spec.replicas', '']) : 'spec.template',
      generatedGVK: random.odd(0.08) ? {} : { kind: to, group: to === 'Widget' ? 'example.com' : '', version: 'v1' },
      ...(random.chance(0.4) ? { enforcementAction: random.pick(['deny', 'warn', 'dryrun']) } : {}),
    },
  });
  const made = [one('expand-deployments', 'Deployment', 'Pod')];
  if (random.chance(0.3))
    made.push(one('expand-widgets', 'Widget', random.odd(0.2) ? 'Widget' : random.pick(['Pod', 'Deployment'])));
  if (random.odd(0.1)) made.push(one('expand-back', 'Pod', 'Deployment'));
  if (random.odd(0.05)) return '# nothing\n';
  return made.map(json).join('---\n');
}

function generateNamespaces(random: Random): string {
  const names = ['default', ...random.some(['prod', 'team-a', 'kube-system'], 3)];
  const objects: unknown[] = names.map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { app: random.pick(['web', 'db']), ...(random.chance(0.3) ? { owner: 'operator' } : {}) },
    },
  }));
  if (random.odd(0.1)) objects.push({ kind: 'Thing', metadata: { name: 'x' } });
  return objects.map(json).join('---\n') || '# none\n';
}

function generateCase(
  random: Random,
  files: Record<string, string>,
  test: string,
  name: string,
  found: (object: Record<string, unknown>) => readonly string[],
): unknown {
  const file = `${test}-${name}.yaml`;
  const object = random.chance(0.08) ? generateReview(random) : generateObject(random);
  const odd = random.odd(0.1) ? random.between(0, 3) : -1;
  files[file] =
    odd === 0
      ? `${json(object)}---\n${json(object)}`
      : odd === 1
        ? '# empty\n'
        : odd === 2
          ? `---\n${json(object)}---\n`
          : json(object);
  return {
    name,
    ...(!random.odd(0.03) ? { object: odd === 3 ? 'nowhere.yaml' : file } : {}),
    ...(random.chance(0.3) ? { inventory: [`${test}-namespaces.yaml`] } : {}),
    ...(random.odd(0.1) ? { skip: true } : {}),
    assertions: random.odd(0.05) ? [] : generateAssertions(random, found(object)),
  };
}

/** What is true of the messages, and now and then what is not. */
function generateAssertions(random: Random, messages: readonly string[]): unknown[] {
  return Array.from({ length: random.between(1, 3) }, () => {
    if (random.odd(0.35)) return generateAssertion(random);
    const [word = ''] = (messages[random.between(0, messages.length - 1)] ?? 'container').split(' ');
    const about = random.chance(0.5) ? { message: `^${word.replaceAll(/[^A-Za-z]/g, '.')}` } : {};
    const count =
      about.message === undefined ? messages.length : messages.filter((text) => text.startsWith(word)).length;
    const word2 = count > 0 ? 'yes' : 'no';
    return { violations: random.pick<unknown>([count, word2]), ...about };
  });
}

function generateAssertion(random: Random): unknown {
  const violations = random.pick<unknown>([undefined, 'yes', 'no', 0, 1, 1, 2, 3, 'yes', 'no', -1, 'maybe']);
  return {
    ...(violations === undefined ? {} : { violations }),
    ...(random.chance(0.5) ? { message: random.pick(MESSAGES) } : {}),
  };
}

function generateReview(random: Random): Record<string, unknown> {
  const object = generateObject(random);
  const request: Record<string, unknown> = {
    uid: 'u',
    kind: { group: '', version: 'v1', kind: 'Pod' },
    operation: random.pick(['CREATE', 'UPDATE', 'DELETE']),
    ...(random.chance(0.8) ? { namespace: random.pick(NAMESPACES) } : {}),
    ...(!random.odd(0.2) ? { object } : {}),
    ...(random.chance(0.7) ? { oldObject: random.odd(0.1) ? { spec: {} } : generateObject(random) } : {}),
    ...(random.odd(0.1) ? { unknown: 1 } : {}),
  };
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    ...(!random.odd(0.05) ? { request } : {}),
  };
}

/** An object of any sort, with containers of any shape. */
export function generateObject(random: Random): Record<string, unknown> {
  const [apiVersion, kind] = random.pick([
    ['v1', 'Pod'],
    ['v1', 'Pod'],
    ['v1', 'Pod'],
    ['apps/v1', 'Deployment'],
    ['apps/v1', 'Deployment'],
    ['v1', 'Namespace'],
    ['example.com/v1', 'Widget'],
    ...(random.odd(0.3)
      ? ([
          ['a/b/c', 'Pod'],
          ['', 'Pod'],
        ] as const)
      : []),
  ] as const);
  const namespace = random.pick(NAMESPACES);
  const pod = generatePodSpec(random);
  const template = {
    metadata: { labels: generateLabels(random), ...(random.chance(0.1) ? { name: 'own', namespace: 'other' } : {}) },
    spec: pod,
  };
  const spec = kind === 'Pod' || (kind === 'Widget' && random.chance(0.4)) ? pod : { replicas: 1, template };
  return {
    apiVersion,
    ...(!random.odd(0.03) ? { kind } : {}),
    metadata: {
      ...(random.chance(0.95) ? { name: random.pick(['pod', 'prod', 'Some-Name']) } : { generateName: 'po-' }),
      ...(namespace === '' || kind === 'Namespace' ? {} : { namespace }),
      ...(random.chance(0.5) ? { labels: generateLabels(random) } : {}),
    },
    ...(!random.odd(0.05) ? { spec } : { spec: random.pick<unknown>([null, 'text', [], 5]) }),
  };
}

function generateLabels(random: Random): unknown {
  if (random.odd(0.08)) return { app: 5 };
  return { app: random.pick(['web', 'db']), ...(random.chance(0.3) ? { owner: 'operator' } : {}) };
}

function generatePodSpec(random: Random): Record<string, unknown> {
  const list = () => Array.from({ length: random.between(0, 3) }, () => generateContainer(random));
  const containers = (): unknown => {
    if (!random.odd(0.1)) return list();
    return random.pick<unknown>([
      null,
      'text',
      { a: generateContainer(random), b: generateContainer(random) },
      5,
      [[]],
    ]);
  };
  return {
    containers: containers(),
    ...(random.chance(0.35) ? { initContainers: containers() } : {}),
    ...(random.chance(0.25) ? { ephemeralContainers: containers() } : {}),
    ...(random.chance(0.1) ? { volumes: [{ name: 'v', image: { reference: random.pick(IMAGES) } }] } : {}),
  };
}

function generateContainer(random: Random): unknown {
  if (random.chance(0.03)) return random.pick<unknown>([null, 'text', 5, []]);
  const odd: readonly unknown[] = [5, 1.5, null, true, ['nginx:latest'], { a: 'b' }, [], 1e21];
  return {
    ...(random.chance(0.95) ? { name: random.chance(0.95) ? random.pick(NAMES) : random.pick(odd) } : {}),
    ...(random.chance(0.95) ? { image: random.chance(0.93) ? random.pick(IMAGES) : random.pick(odd) } : {}),
  };
}
