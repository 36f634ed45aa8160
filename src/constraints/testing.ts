import { type Constraint, parseConstraint } from './constraint.ts';

/** A `K8sAllowedRepos` constraint for tests; `spec` and `annotations` are merged over a warning default. */
export function testConstraint(
  spec: Record<string, unknown> = {},
  annotations: Record<string, string> = {},
  name = 'require-harbor-repo',
): Constraint {
  return parseConstraint({
    kind: 'K8sAllowedRepos',
    metadata: { name, annotations },
    spec: { enforcementAction: 'warn', parameters: { repos: ['harbor.cksc.a1ck.io'] }, ...spec },
  });
}

/** A pod with one container per image, named c0, c1, … */
export function testPod(...images: string[]): Record<string, unknown> {
  const containers = images.map((image, index) => ({ name: `c${index}`, image }));
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'demo' }, spec: { containers } };
}
