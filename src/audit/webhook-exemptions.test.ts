import { expect, it, vi } from 'vitest';
import { webhookConfiguration } from '../admission/webhook-configuration.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import { silentLogger } from '../platform/logger.ts';
import { followWebhookExemptions } from './webhook-exemptions.ts';

it('reads from the webhook configuration which namespaces are never asked about, and keeps it while that fails', async () => {
  const service = { webhook: { service: 'w' }, namespace: 'guard' };
  let answer = async (): Promise<unknown> => webhookConfiguration({ ...service, failurePolicy: 'Fail' });
  const exemptions = followWebhookExemptions({ client: { get: () => answer() }, logger: silentLogger }, 10);
  try {
    expect(exemptions.names()).toEqual([]);
    await vi.waitUntil(() => exemptions.names().length > 0);
    const system = ['kube-system', 'kube-public', 'kube-node-lease', 'guard'];
    expect(exemptions.names()).toEqual(system);
    let failures = 0;
    answer = async () => {
      failures += 1;
      throw new KubernetesError('unreachable', 'away');
    };
    await vi.waitUntil(() => failures > 1);
    expect(exemptions.names()).toEqual(system);
    answer = async () => webhookConfiguration(service);
    await vi.waitUntil(() => exemptions.names().length === 1);
    answer = async () => {
      throw new KubernetesError('not_found', 'none');
    };
    await vi.waitUntil(() => exemptions.names().length === 0);
  } finally {
    exemptions.stop();
  }
});
