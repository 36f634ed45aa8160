import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import { renderGuardManifests } from '../../src/admission/manifests.ts';
import { CHART, chartFiles, chartFilesNow } from './chart-files.ts';
import { check } from './checks.ts';
import { helm, type KubernetesObject, NAMESPACE, rendered, template } from './helm.ts';
import { BAD_VALUES } from './values.ts';

const REPOS = ['harbor.cksc.a1ck.io', 'docker.io/mycompany'];
const SHARED = [
  'CustomResourceDefinition',
  'ClusterRole',
  'ClusterRoleBinding',
  'Role',
  'RoleBinding',
  'ServiceAccount',
];

/** What needs no cluster: lint, the schema, and that the chart says what the program says. */
export async function checkOffline(): Promise<void> {
  await check('helm lint finds nothing', async () => {
    const outcome = await helm(['lint', '--strict', CHART], { constraint: { repos: REPOS } });
    assert.equal(outcome.code, 0, outcome.screen);
  });
  await check(
    'files of the chart are what the program prints (node test/helm-e2e/write-files.ts writes them)',
    async () => {
      assert.deepEqual(Object.fromEntries(chartFilesNow()), Object.fromEntries([...chartFiles()].sort()));
    },
  );
  await check('the chart renders the webhooks of `breakwater guard manifests`', compareWebhooks);
  await check('the chart renders its definitions, rights and constraint', compareShared);
  for (const [values, said] of BAD_VALUES)
    await check(`refused: ${JSON.stringify(values).slice(0, 90)}`, async () => {
      const outcome = await template(values);
      assert.notEqual(outcome.code, 0, 'was rendered');
      assert.match(outcome.stderr, said);
    });
}

async function compareWebhooks(): Promise<void> {
  const [theirs, ours] = [fromProgram(), await rendered({ constraint: { repos: REPOS } })];
  for (const kind of ['ValidatingWebhookConfiguration', 'MutatingWebhookConfiguration'])
    assert.deepEqual(webhooksOf(ours, kind), webhooksOf(theirs, kind), kind);
  assert.doesNotMatch(JSON.stringify(ours), /caBundle/);
}

/** Without the field the chart leaves to the guard. */
function webhooksOf(objects: readonly KubernetesObject[], kind: string): unknown {
  return objects
    .filter((object) => object.kind === kind)
    .map(({ metadata, webhooks }) => ({
      name: metadata.name,
      webhooks: (webhooks as { clientConfig: { caBundle?: string } }[]).map(({ clientConfig, ...rest }) => {
        const { caBundle: _, ...others } = clientConfig;
        return { ...rest, clientConfig: others };
      }),
    }));
}

async function compareShared(): Promise<void> {
  const [theirs, ours] = [fromProgram(), await rendered({ constraint: { repos: REPOS } })];
  for (const kind of SHARED) assert.deepEqual(sharedPart(ours, kind), sharedPart(theirs, kind), kind);
}

function sharedPart(objects: readonly KubernetesObject[], kind: string): unknown {
  return objects
    .filter((object) => object.kind === kind)
    .map(({ metadata, spec, rules, roleRef, subjects }) => ({
      name: metadata.name,
      namespace: metadata.namespace,
      wanted: parsed(metadata.annotations?.['breakwater/wanted-constraint']),
      spec,
      rules,
      roleRef,
      subjects,
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function parsed(text: string | undefined): unknown {
  return text === undefined ? undefined : (JSON.parse(text) as unknown);
}

function fromProgram(): KubernetesObject[] {
  const text = renderGuardManifests({
    constraintName: 'require-harbor-repo',
    repos: REPOS,
    enforcementAction: 'warn',
    style: 'welkin-docs',
    webhook: { service: 'breakwater-webhook' },
    caBundle: 'of the guard',
    namespace: NAMESPACE,
    excludedNamespaces: [NAMESPACE],
  });
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}
