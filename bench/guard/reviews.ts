import { review } from '../review.ts';

export const TRUSTED_REPO = 'quay.io/prometheus';
export const TRUSTED_IMAGE = 'quay.io/prometheus/node-exporter:v1.8.0';
export const UNTRUSTED_IMAGE = 'docker.io/library/nginx:1.27';

interface Review {
  readonly request: { readonly object: { readonly spec: { containers: object[]; initContainers?: object[] } } };
}

/** A review of a pod with ten containers and their environment, about 12 KB of JSON. */
export function largeReview(image: string): string {
  const whole = JSON.parse(review(image)) as Review;
  const { spec } = whole.request.object;
  const [first] = spec.containers;
  const env = Array.from({ length: 12 }, (_, index) => ({
    name: `SETTING_${index}`,
    value: `value of setting ${index}`,
  }));
  spec.containers = Array.from({ length: 8 }, (_, index) => ({ ...first, name: `web-${index}`, env }));
  spec.initContainers = Array.from({ length: 2 }, (_, index) => ({ ...first, name: `init-${index}`, env }));
  return JSON.stringify(whole);
}

/** Constraints named `bench-0`, `bench-1`, … that deny what is in none of their repositories. */
export function constraints(count: number, repos: readonly string[]): object[] {
  return Array.from({ length: count }, (_, index) => ({
    apiVersion: 'constraints.gatekeeper.sh/v1beta1',
    kind: 'K8sAllowedRepos',
    metadata: { name: `bench-${index}` },
    spec: {
      enforcementAction: 'deny',
      match: { kinds: [{ apiGroups: [''], kinds: ['Pod'] }] },
      parameters: { repos },
    },
  }));
}

/** A list of which only the last entry is the trusted one. */
export function entries(count: number): string[] {
  const others = Array.from({ length: count - 1 }, (_, index) => `registry-${index}.example.com/team-${index % 7}/`);
  return [...others, TRUSTED_REPO];
}
