import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KNOWN_PROGRAMS } from '../../src/gator/library/programs.ts';
import { generateConstraint } from '../support/generated-constraints.ts';
import { generateObject } from '../support/generated-objects.ts';
import { generateSuite, writeSuite } from '../support/generated-suites.ts';
import { templateOf } from '../support/library-templates.ts';
import { isLeftOut, requirePeer } from '../support/peers.ts';
import { createRandom } from '../support/random.ts';

/** Other chances: `GATOR_SEED=7 npm run diff:gator`; more of them: `GATOR_SUITES=2000`. */
const SEED = Number(process.env['GATOR_SEED'] ?? 1);
const SUITES = Number(process.env['GATOR_SUITES'] ?? 240);
const MANIFESTS = Math.ceil(SUITES / 4);
const AT_ONCE = 4;

const ours = join(import.meta.dirname, '../../bin/breakwater.mjs');
let folder: string;

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function run(program: string, args: readonly string[]): Promise<Run> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    );
    child.stdin?.end();
  });
}

async function both(args: readonly string[]): Promise<{ readonly gator: Run; readonly breakwater: Run }> {
  const [gator, breakwater] = await Promise.all([
    run(requirePeer('gator'), args),
    run(process.execPath, [ours, 'gator', ...args]),
  ]);
  return { gator, breakwater };
}

/** Runs some work for many numbers, a few at once. */
async function forEach(count: number, work: (at: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < count; at = next++) await work(at);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
}

/** What the two may say in words of their own: the reasons of libraries, after what gator says itself. */
const REASONS = [
  /(invalid yaml: ).*/,
  /(not a valid AdmissionReview object: ).*/,
  /(accessor error: ).*/,
  /(schema validation failed: ).*/,
  /(is registered for version "[^"]*").*/,
];

/** Lines without durations, and without what the libraries of the two say differently. */
function comparable(text: string): string[] {
  return text.split('\n').map((line) => {
    const timeless = line.replace(/\b\d+\.\d{3}s\b/g, 'TIME');
    return REASONS.reduce((cut, reason) => cut.replace(reason, '$1…'), timeless);
  });
}

describe.skipIf(isLeftOut('gator'))('gator', () => {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'breakwater-gator-'));
    process.stdout.write(`gator: seed ${SEED}, ${SUITES} suites, ${MANIFESTS} manifests\n`);
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it('ends generated suites alike, case by case', async () => {
    const outcomes = { pass: 0, fail: 0 };
    const differences: string[] = [];
    await forEach(SUITES, async (at) => {
      const seed = SEED * 1_000_003 + at;
      const place = join(folder, `suite-${at}`);
      await writeSuite(place, generateSuite(seed));
      const { gator, breakwater } = await both(['verify', '-v', join(place, 'suite.yaml')]);
      outcomes[gator.code === 0 ? 'pass' : 'fail'] += 1;
      const [theirs, mine] = [comparable(gator.stdout), comparable(breakwater.stdout)];
      if (gator.code === breakwater.code && theirs.join('\n') === mine.join('\n')) return;
      const line = theirs.findIndex((text, index) => text !== mine[index]);
      differences.push(
        `suite ${seed}: gator ${gator.code}, breakwater ${breakwater.code}\n  - ${theirs[line]}\n  + ${mine[line]}\n  ${breakwater.stderr}`,
      );
    });
    process.stdout.write(
      `gator verify: ${outcomes.pass} suites passed, ${outcomes.fail} failed, ${differences.length} differ\n`,
    );
    expect(differences).toEqual([]);
    // Both ends must have been met, or nothing was compared.
    expect(Math.min(outcomes.pass, outcomes.fail)).toBeGreaterThan(SUITES / 20);
  });

  it.each(['json', 'yaml', ''])('prints violations of generated manifests alike: "%s"', async (output) => {
    const differences: string[] = [];
    const ends = new Set<number>();
    await forEach(MANIFESTS, async (at) => {
      const seed = SEED * 2_000_003 + at;
      const file = join(folder, `manifest-${output}-${at}.yaml`);
      await writeFile(file, manifest(seed));
      const args = ['test', '-f', file, ...(output === '' ? [] : ['-o', output])];
      const { gator, breakwater } = await both(args);
      ends.add(gator.code);
      if (gator.code !== breakwater.code || gator.stdout !== breakwater.stdout) {
        differences.push(
          `manifest ${seed}: gator ${gator.code}, breakwater ${breakwater.code}\n${gator.stderr}${breakwater.stderr}`,
        );
      }
    });
    expect(differences).toEqual([]);
    expect(ends).toEqual(new Set([0, 1]));
  });

  it.each(['yaml', 'json'])('expands generated manifests alike: %s', async (format) => {
    const differences: string[] = [];
    let printed = 0;
    await forEach(MANIFESTS, async (at) => {
      const seed = SEED * 3_000_017 + at;
      const file = join(folder, `expand-${format}-${at}.yaml`);
      await writeFile(file, manifest(seed));
      const { gator, breakwater } = await both(['expand', '-n', file, '-f', format]);
      if (gator.stdout.trim() !== '') printed += 1;
      if (gator.code !== breakwater.code || gator.stdout !== breakwater.stdout) {
        differences.push(
          `manifest ${seed}: gator ${gator.code}, breakwater ${breakwater.code}\n${gator.stderr}${breakwater.stderr}`,
        );
      }
    });
    expect(differences).toEqual([]);
    expect(printed).toBeGreaterThan(0);
  });
});

/** Templates, constraints, an expansion, namespaces and objects in one file. */
function manifest(seed: number): string {
  const random = createRandom(seed);
  const programs = random.some([...KNOWN_PROGRAMS.values()], 3);
  const byKind = new Map(programs.map((program) => [program.meaning.kind, program]));
  const constraints = [...byKind.keys()].map((kind, at) => {
    const constraint = generateConstraint(random, kind);
    return { ...constraint, metadata: { name: `rule-${at}` } };
  });
  const expansion = {
    apiVersion: 'expansion.gatekeeper.sh/v1alpha1',
    kind: 'ExpansionTemplate',
    metadata: { name: 'expand-deployments' },
    spec: {
      applyTo: [{ groups: ['apps'], kinds: ['Deployment'], versions: ['v1'] }],
      templateSource: 'spec.template',
      generatedGVK: { kind: 'Pod', group: '', version: 'v1' },
      ...(random.chance(0.5) ? { enforcementAction: random.pick(['deny', 'warn']) } : {}),
    },
  };
  const namespaces = random.some(['default', 'prod', 'team-a'], 3).map((name) => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name, labels: { app: random.pick(['web', 'db']) } },
  }));
  const objects = Array.from({ length: random.between(1, 6) }, (_, at) => {
    const object = generateObject(random);
    return { ...object, metadata: { ...(object['metadata'] as object), name: `object-${at}` } };
  });
  const all = [
    ...[...byKind.values()].map((program) => templateOf(program)),
    ...constraints,
    ...namespaces,
    ...objects,
  ];
  if (random.chance(0.6)) all.push(expansion);
  return all.map((object) => `${JSON.stringify(object)}\n`).join('---\n');
}
