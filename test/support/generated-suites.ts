import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readExpansions } from '../../src/gator/client/expansion.ts';
import { readObject, readObjects } from '../../src/gator/documents.ts';
import { GatorError } from '../../src/gator/errors.ts';
import { KNOWN_PROGRAMS, type RegoProgram } from '../../src/gator/library/programs.ts';
import { regoJudge } from '../../src/gator/verify/run.ts';
import { generateConstraint } from './generated-constraints.ts';
import { generateObject, generateReview } from './generated-objects.ts';
import { templateOf } from './library-templates.ts';
import { createRandom, type Random } from './random.ts';

const PROGRAMS = [...KNOWN_PROGRAMS.values()];
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
