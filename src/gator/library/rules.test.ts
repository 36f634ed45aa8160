import { describe, expect, it } from 'vitest';
import { generateConstraint } from '../../../test/support/generated-constraints.ts';
import { generateObject } from '../../../test/support/generated-objects.ts';
import { templateOf } from '../../../test/support/library-templates.ts';
import { createRandom } from '../../../test/support/random.ts';
import { parseConstraint } from '../../constraints/constraint.ts';
import { evaluate } from '../../constraints/evaluate.ts';
import { NO_FACTS } from '../../constraints/image-facts.ts';
import { rulesOf } from '../../constraints/rules.ts';
import { GatorClient } from '../client/client.ts';
import { namespaceOf } from '../object.ts';
import { KNOWN_PROGRAMS, type ProgramMeaning } from './programs.ts';
import { violationsOf } from './rules.ts';

const CURRENT = [...KNOWN_PROGRAMS.values()].filter(({ v1 }) => v1);

/** An action nobody knows is enforced by gator, and by nothing in a cluster. */
const ACTIONS = new Set<unknown>(['deny', 'warn', 'dryrun', 'scoped', undefined]);

function meaningOf(kind: string, versions: string): ProgramMeaning {
  const program = [...KNOWN_PROGRAMS.values()].find((one) => one.meaning.kind === kind && one.versions === versions);
  if (!program) throw new Error(`no program ${kind} ${versions}`);
  return program.meaning;
}

function podOf(...images: unknown[]): Record<string, unknown> {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    spec: { containers: images.map((image, at) => ({ name: `c${at}`, image })) },
  };
}

describe('what the Rego of the library says', () => {
  it('agrees with the engine of the guard under compat, for every object an API server would admit', () => {
    let compared = 0;
    for (let seed = 0; seed < 3000; seed++) {
      const random = createRandom(seed, 1);
      const program = random.pick(CURRENT);
      const written = generateConstraint(random, program.meaning.kind);
      const metadata = { name: 'rule', annotations: { 'breakwater/compat': 'gatekeeper' } };
      const constraint = { ...written, metadata };
      const object = generateObject(random);
      const client = new GatorClient();
      client.addTemplate(templateOf(program));
      client.addConstraint(constraint);
      const namespace = namespaceOf(object);
      const rego = client.review({ object, namespace, namespaceFacts: undefined, source: 'Original' });
      // What no kubelet would run is no question of rules: names and images are texts there.
      if (rego.some(({ unmatched }) => unmatched) || JSON.stringify(object).match(/"(?:name|image)":[^"]/)) continue;
      if (!ACTIONS.has(actionOf(written))) continue;
      const lines = evaluate(
        { ...NO_FACTS, namespaceLabels: () => undefined },
        rulesOf([parseConstraint(constraint)]),
        'gator.gatekeeper.sh',
        { object },
      );
      expect(lines.map(({ message }) => message).sort(), `seed ${seed}`).toEqual(
        rego.map(({ message }) => message).sort(),
      );
      compared += rego.length;
    }
    expect(compared).toBeGreaterThan(300);
  });

  it('keeps what versions of a template do differently', () => {
    const port = podOf('localhost:5000/x');
    const tags = { tags: ['latest'] };
    expect(violationsOf(meaningOf('K8sDisallowedTags', '1.0.1'), port, tags)).toEqual([]);
    expect(violationsOf(meaningOf('K8sDisallowedTags', '1.0.2'), port, tags)).toEqual([
      "container <c0> didn't specify an image tag <localhost:5000/x>",
    ]);
    const init = {
      spec: { initContainers: [{ name: 'i', image: 'x' }], ephemeralContainers: [{ name: 'e', image: 'y' }] },
    };
    expect(violationsOf(meaningOf('K8sAllowedRepos', 'of 2019 to 2021'), init, { repos: ['a'] })).toEqual([
      'container <i> has an invalid image repo <x>, allowed repos are ["a"]',
    ]);
    expect(violationsOf(meaningOf('K8sAllowedRepos', '1.0.3'), init, { repos: ['a'] })).toEqual([
      'initContainer <i> has an invalid image repo <x>, allowed repos are ["a"]',
      'ephemeralContainer <e> has an invalid image repo <y>, allowed repos are ["a"]',
    ]);
  });

  it('has Rego’s ideas about values of the wrong type', () => {
    const meaning = meaningOf('K8sAllowedRepos', '1.0.3');
    expect(violationsOf(meaning, podOf(5, ['a/x'], { b: 1 }), { repos: ['a'] })).toEqual([
      'container <c0> has an invalid image repo <5>, allowed repos are ["a"]',
      'container <c2> has an invalid image repo <{"b": 1}>, allowed repos are ["a"]',
    ]);
    expect(violationsOf(meaning, podOf('x'), {})).toEqual([]);
    expect(violationsOf(meaningOf('K8sImageDigests', '1.0.0'), podOf(5), {})).toEqual([]);
    expect(violationsOf(meaningOf('K8sImageDigests', '1.0.1'), podOf(5), {})).toEqual([
      'container <c0> uses an image without a digest <5>',
    ]);
  });

  it('says the same thing once', () => {
    const twice = {
      spec: {
        containers: [
          { name: 'a', image: 'x' },
          { name: 'a', image: 'x' },
        ],
      },
    };
    expect(violationsOf(meaningOf('K8sAllowedRepos', '1.0.3'), twice, { repos: [] })).toHaveLength(1);
  });
});

function actionOf({ spec }: Record<string, unknown>): unknown {
  return (spec as Record<string, unknown> | undefined)?.['enforcementAction'];
}
