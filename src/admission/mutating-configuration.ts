import {
  clientConfig,
  MUTATING_CONFIGURATION,
  outside,
  POD_RULES,
  type WebhookConfigurationOptions,
  WORKLOAD_RULES,
} from './webhook-configuration.ts';

export const MUTATE_PATH = '/v1/mutate';

export interface MutatingConfigurationOptions
  extends Pick<WebhookConfigurationOptions, 'webhook' | 'caBundle' | 'namespace'> {
  /** Ask about what makes pods too. */
  readonly templates: boolean;
}

/** A pod waits for every mutating webhook in turn, and pinning is never worth waiting for. */
const TIMEOUT_SECONDS = 2;

/**
 * The webhook configuration that asks for pins. `Ignore`: without an answer a tag stays a tag and the pod starts.
 * `IfNeeded`: what another webhook adds after us is pinned too.
 */
export function mutatingConfiguration(options: MutatingConfigurationOptions): object {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: MUTATING_CONFIGURATION },
    webhooks: [
      {
        name: 'pinning.guard.breakwater',
        admissionReviewVersions: ['v1'],
        clientConfig: clientConfig(options, MUTATE_PATH),
        failurePolicy: 'Ignore',
        matchPolicy: 'Equivalent',
        reinvocationPolicy: 'IfNeeded',
        sideEffects: 'None',
        timeoutSeconds: TIMEOUT_SECONDS,
        namespaceSelector: outside(['kube-system', options.namespace]),
        rules: options.templates ? WORKLOAD_RULES : POD_RULES,
      },
    ],
  };
}
