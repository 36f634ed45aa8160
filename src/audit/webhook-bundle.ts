import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { WEBHOOK_CONFIGURATION } from '../admission/manifests.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';

const PATH = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`;
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

const configurationSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  webhooks: z.array(z.looseObject({ clientConfig: z.looseObject({ caBundle: z.string().optional() }) })),
});

/**
 * Adds our authorities to the bundles of our webhook configuration and takes out those that have ended, so that a
 * changed certificate is trusted before it is served. Others (of another replica) stay. True when it changed something;
 * false also when there is no such configuration yet. A conflict is thrown: the next call tries again.
 */
export async function publishCaBundle(client: KubernetesClient, caBundle: string, clock: Clock): Promise<boolean> {
  let current: unknown;
  try {
    current = await client.get(PATH);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'not_found') return false;
    throw error;
  }
  const { metadata, webhooks } = configurationSchema.parse(current);
  let changed = false;
  const updated = webhooks.map((webhook) => {
    const before = Buffer.from(webhook.clientConfig.caBundle ?? '', 'base64').toString('utf8');
    const after = mergeBundles(before, caBundle, clock.now());
    if (after.join('\n') === certificatesIn(before).join('\n')) return webhook;
    changed = true;
    return {
      ...webhook,
      clientConfig: { ...webhook.clientConfig, caBundle: Buffer.from(after.join('\n')).toString('base64') },
    };
  });
  if (changed) {
    await client.patch(PATH, { metadata: { resourceVersion: metadata.resourceVersion }, webhooks: updated });
  }
  return changed;
}

function mergeBundles(before: string, ours: string, now: number): string[] {
  const all = new Set([...certificatesIn(before), ...certificatesIn(ours)]);
  return [...all].filter((pem) => Date.parse(new X509Certificate(pem).validTo) > now);
}

function certificatesIn(bundle: string): string[] {
  return [...bundle.matchAll(PEM)].map(([pem]) => pem);
}
