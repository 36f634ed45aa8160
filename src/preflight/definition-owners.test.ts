import { expect, it } from 'vitest';
import { constraintDefinition } from '../admission/constraint-definition.ts';
import { CONSTRAINT_KINDS } from '../constraints/kinds/kinds.ts';
import { DEFINITIONS_PATH } from '../constraints/paths.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import { fakeCluster } from '../kubernetes/testing.ts';
import { ownerChecks } from './definition-owners.ts';

interface Definition {
  readonly metadata: { readonly name: string; readonly labels?: object };
}

/** As the API server gives them back: with who wrote them. */
async function ownersOf(change: (metadata: Definition['metadata']) => object): Promise<string | undefined> {
  const client = fakeCluster();
  const managedFields = [{ manager: 'kubectl-client-side-apply' }, { manager: 'kube-apiserver' }];
  const objects = new Map(
    CONSTRAINT_KINDS.map((kind) => {
      const { metadata } = constraintDefinition(kind) as Definition;
      return [`${DEFINITIONS_PATH}/${metadata.name}`, { metadata: { ...change(metadata), managedFields } }];
    }),
  );
  const get: typeof client.get = async (path) => {
    const found = objects.get(path);
    if (found) return found;
    throw new KubernetesError('not_found', path);
  };
  const [owners] = await ownerChecks({ ...client, get });
  return owners?.status;
}

it('takes what "guard manifests | kubectl apply" wrote for ours, and what Gatekeeper generates not', async () => {
  expect(await ownersOf((metadata) => metadata)).toBe('ok');
  expect(await ownersOf((metadata) => ({ ...metadata, labels: { 'gatekeeper.sh/constraint': 'yes' } }))).toBe(
    'warning',
  );
});
