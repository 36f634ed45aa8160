import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import { type GuardManifestOptions, renderGuardManifests } from '../../src/admission/manifests.ts';
import { mutatingConfiguration } from '../../src/admission/mutating-configuration.ts';
import { CHART, chartFiles, chartFilesNow } from './chart-files.ts';
import { check } from './checks.ts';
import { helm, type KubernetesObject, NAMESPACE, rendered, template } from './helm.ts';
import { settingsOf } from './settings.ts';
import { BAD_VALUES, GOOD_VALUES, SETTINGS } from './values.ts';

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
export async function checkOffline(folder: string): Promise<void> {
  await check('helm lint finds nothing', async () => {
    const outcome = await helm(['lint', '--strict', CHART], { constraint: { repos: REPOS } });
    assert.equal(outcome.code, 0, outcome.screen);
  });
  await check(
    'files of the chart are what the program prints (node test/helm-e2e/write-files.ts writes them)',
    async () => {
      assert.deepEqual(Object.fromEntries(chartFilesNow()), Object.fromEntries(chartFiles()));
    },
  );
  await check('the chart renders the webhooks of `breakwater guard manifests`', compareWebhooks);
  await check('the chart renders the webhook that pins', comparePinning);
  await check('the chart renders its definitions, rights and constraint', compareShared);
  for (const [name, values] of Object.entries(GOOD_VALUES))
    await check(`the guard reads its settings: ${name}`, async () => {
      const settings: Readonly<Record<string, unknown>> = { ...(await settingsOf(await rendered(values), folder)) };
      for (const [key, value] of Object.entries({ guardNamespace: NAMESPACE, ...SETTINGS[name] }))
        assert.deepEqual(settings[key], value, key);
    });
  for (const [values, said] of BAD_VALUES)
    await check(`refused: ${JSON.stringify(values).slice(0, 90)}`, async () => {
      const outcome = await template(values);
      assert.notEqual(outcome.code, 0, 'was rendered');
      assert.match(outcome.stderr, said);
    });
}

async function compareWebhooks(): Promise<void> {
  const kind = 'ValidatingWebhookConfiguration';
  for (const failurePolicy of ['Ignore', 'Fail'] as const) {
    const theirs = fromProgram({ failurePolicy, replicas: 2 });
    const ours = await rendered({ constraint: { repos: REPOS }, webhook: { failurePolicy } });
    assert.deepEqual(webhooksOf(ours, kind), webhooksOf(theirs, kind), failurePolicy);
    assert.doesNotMatch(JSON.stringify(ours), /caBundle/);
  }
}

async function comparePinning(): Promise<void> {
  for (const templates of [false, true]) {
    const webhook = { service: 'breakwater-webhook' };
    const theirs = mutatingConfiguration({ webhook, namespace: NAMESPACE, templates });
    const ours = await rendered({ pinning: { enabled: true, templates } });
    const kind = 'MutatingWebhookConfiguration';
    assert.deepEqual(webhooksOf(ours, kind), webhooksOf([theirs as KubernetesObject], kind));
  }
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

function fromProgram(more: Partial<GuardManifestOptions> = {}): KubernetesObject[] {
  const text = renderGuardManifests({
    constraintName: 'require-harbor-repo',
    repos: REPOS,
    enforcementAction: 'warn',
    style: 'welkin-docs',
    webhook: { service: 'breakwater-webhook' },
    namespace: NAMESPACE,
    excludedNamespaces: [NAMESPACE],
    ...more,
  });
  return parseAllDocuments(text)
    .map((document) => document.toJS() as KubernetesObject | null)
    .filter((object) => object !== null);
}
