import { setTimeout as delay } from 'node:timers/promises';
import { WEBHOOK_CONFIGURATION } from '../../src/admission/webhook-configuration.ts';
import type { TestCluster } from '../support/cluster.ts';
import { applied } from '../support/gatekeeper.ts';
import { type Score, unless } from './score.ts';

const good = { parameters: { repos: ['harbor.example.com/'] } };
const TRIALS: readonly (readonly [spec: object, refusal: string | undefined, annotations?: Record<string, string>])[] =
  [
    [{}, 'spec.parameters.repos is missing'],
    [{ parameters: {} }, 'spec.parameters.repos is missing'],
    [{ parameters: { repos: ['harbor.example.com/', ''] } }, 'spec.parameters.repos[1]: an empty entry'],
    [{ ...good, enforcementAction: 'Deny' }, 'write "deny"'],
    [good, undefined],
    [{}, undefined, { 'breakwater/compat': 'gatekeeper' }],
  ];

/** What protects nothing is refused by the API server, through the guard's webhook for constraints. */
export async function tryRefusals(score: Score, cluster: TestCluster, guard: { url: string }): Promise<void> {
  const webhook = {
    name: 'constraints.guard.breakwater',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    clientConfig: { url: guard.url.replace('/v1/admit', '/v1/constraints') },
    rules: [
      {
        apiGroups: ['constraints.gatekeeper.sh'],
        apiVersions: ['*'],
        resources: ['*'],
        operations: ['CREATE', 'UPDATE'],
      },
    ],
  };
  const configuration = {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: WEBHOOK_CONFIGURATION },
    webhooks: [webhook],
  };
  await applied(cluster, JSON.stringify(configuration));
  await untilTrusted(cluster);
  // The API server takes a new configuration up a moment later.
  await delay(3000);
  for (const [spec, refusal, annotations = {}] of TRIALS) {
    const { code, stderr } = await tried(cluster, spec, annotations);
    const denied = stderr.includes('admission webhook "constraints.guard.breakwater" denied the request');
    const right = refusal === undefined ? code === 0 : code !== 0 && denied && stderr.includes(refusal);
    const outcome = refusal === undefined ? 'passes' : 'is refused';
    score.verdict(`applying ${JSON.stringify({ spec, annotations })} ${outcome}`, unless(right, `${code} ${stderr}`));
  }
  const spec = { parameters: { repos: ['harbor.example.com'] } };
  const { code, stderr } = await tried(cluster, spec, { 'breakwater/matching': 'prefix' });
  const warned = code === 0 && stderr.includes('harbor.example.com.evil.example/x');
  score.verdict('a prefix that can be passed by is warned about, with a witness', unless(warned, stderr));
  await cluster.kubectl(['delete', 'validatingwebhookconfiguration', WEBHOOK_CONFIGURATION]);
}

/** The guard writes its authority into its own configuration. */
async function untilTrusted(cluster: TestCluster): Promise<void> {
  const path = '-ojsonpath={.webhooks[0].clientConfig.caBundle}';
  for (let look = 0; look < 60; look += 1) {
    const { stdout } = await cluster.kubectl(['get', 'validatingwebhookconfiguration', WEBHOOK_CONFIGURATION, path]);
    if (stdout !== '') return;
    await delay(500);
  }
  throw new Error('the guard wrote no authority into its webhook configuration within 30 s');
}

function tried(cluster: TestCluster, spec: object, annotations: Record<string, string>) {
  const apiVersion = 'constraints.gatekeeper.sh/v1beta1';
  const object = { apiVersion, kind: 'K8sAllowedRepos', metadata: { name: 'tried', annotations }, spec };
  return cluster.kubectl(['apply', '--dry-run=server', '-f', '-'], JSON.stringify(object));
}
