import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { MUTATING_CONFIGURATION, WEBHOOK_CONFIGURATION } from '../admission/manifests.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';

const API = '/apis/admissionregistration.k8s.io/v1';
const PATHS = [
  `${API}/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`,
  `${API}/mutatingwebhookconfigurations/${MUTATING_CONFIGURATION}`,
];
const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

const configurationSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  webhooks: z
    .array(
      z.looseObject({ name: z.string(), clientConfig: z.looseObject({ caBundle: z.string().nullish() }).optional() }),
    )
    .nullish(),
});

/** A webhook configuration of ours as it stands in the cluster. */
export interface WebhookBundles {
  readonly path: string;
  readonly resourceVersion: string;
  /** Name of each entry, and the certificates its caller trusts, PEM. */
  readonly entries: readonly { readonly name: string; readonly trusted: readonly string[] }[];
}

/** Reads those of our webhook configurations that exist. Throws `KubernetesError`. */
export async function readWebhookBundles(client: KubernetesClient): Promise<readonly WebhookBundles[]> {
  const found: WebhookBundles[] = [];
  for (const path of PATHS) {
    const { metadata, webhooks } = configurationSchema.parse((await getOrNothing(client, path)) ?? NOTHING);
    if (metadata.resourceVersion === '') continue;
    const entries = (webhooks ?? []).map(({ name, clientConfig }) => ({
      name,
      trusted: certificatesIn(Buffer.from(clientConfig?.caBundle ?? '', 'base64').toString('utf8')),
    }));
    found.push({ path, resourceVersion: metadata.resourceVersion, entries });
  }
  return found;
}

/** All of its entries trust everything in the bundle. */
export function trustsAll({ entries }: WebhookBundles, bundle: string): boolean {
  const wanted = certificatesIn(bundle);
  return entries.every(({ trusted }) => wanted.every((pem) => trusted.includes(pem)));
}

/**
 * Has all entries of a configuration trust exactly what `bundle` holds, and changes no other field. True when there was
 * something to change; `conflict` when somebody else changed the configuration since it was read.
 */
export async function setBundle(
  client: KubernetesClient,
  configuration: WebhookBundles,
  bundle: string,
): Promise<boolean> {
  return write(client, configuration, () => certificatesIn(bundle));
}

/**
 * Adds our authorities to the bundles of our webhook configurations and takes out those that have ended, so that a
 * changed certificate is trusted before it is served. Others stay. True when it changed something; false also when there
 * is no such configuration yet. A conflict is thrown: the next call tries again.
 */
export async function publishCaBundle(client: KubernetesClient, caBundle: string, clock: Clock): Promise<boolean> {
  let changed = false;
  for (const configuration of await readWebhookBundles(client)) {
    const done = await write(client, configuration, (before) => merged(before, certificatesIn(caBundle), clock.now()));
    changed ||= done;
  }
  return changed;
}

async function write(
  client: KubernetesClient,
  { path, resourceVersion, entries }: WebhookBundles,
  wanted: (before: readonly string[]) => readonly string[],
): Promise<boolean> {
  const changes = entries.flatMap(({ name, trusted }) => {
    const after = wanted(trusted);
    if (after.join('\n') === trusted.join('\n')) return [];
    return [{ name, clientConfig: { caBundle: Buffer.from(`${after.join('\n')}\n`).toString('base64') } }];
  });
  if (changes.length === 0) return false;
  await client.patch(path, { metadata: { resourceVersion }, webhooks: changes }, 'strategic');
  return true;
}

const NOTHING = { metadata: { resourceVersion: '' } };

async function getOrNothing(client: KubernetesClient, path: string): Promise<unknown> {
  try {
    return await client.get(path);
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'not_found') return undefined;
    throw error;
  }
}

function merged(before: readonly string[], ours: readonly string[], now: number): string[] {
  return [...new Set([...before, ...ours])].filter((pem) => Date.parse(new X509Certificate(pem).validTo) > now);
}

function certificatesIn(bundle: string): string[] {
  return [...bundle.matchAll(PEM)].map(([pem]) => pem);
}
