import { X509Certificate } from 'node:crypto';
import { z } from 'zod';
import { WEBHOOK_CONFIGURATION } from '../admission/manifests.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { listPages } from '../kubernetes/list-pages.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { check, type PreflightCheck } from './check.ts';
import { orUndefined } from './cluster-features.ts';

const texts = z.array(z.string()).catch([]);
const webhookSchema = z.looseObject({
  name: z.string(),
  failurePolicy: z.string().optional(),
  timeoutSeconds: z.number().optional(),
  clientConfig: z.looseObject({
    url: z.string().optional(),
    caBundle: z.string().optional(),
    service: z.looseObject({ name: z.string(), namespace: z.string() }).optional(),
  }),
  rules: z.array(z.looseObject({ apiGroups: texts, resources: texts, operations: texts })).optional(),
});
const configurationSchema = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  webhooks: z.array(webhookSchema).catch([]),
});
type Configuration = z.infer<typeof configurationSchema>;
type Webhook = z.infer<typeof webhookSchema>;

const slicesSchema = z.looseObject({
  items: z.array(
    z.looseObject({
      endpoints: z
        .array(z.looseObject({ conditions: z.looseObject({ ready: z.boolean().nullish() }).nullish() }))
        .nullish(),
    }),
  ),
});

const REGISTRATION = '/apis/admissionregistration.k8s.io/v1';

/** Whether the API server can reach our webhook, and which other webhooks are asked about the same pods. */
export async function webhookChecks(client: KubernetesClient, clock: Clock): Promise<PreflightCheck[]> {
  const validating = await configurations(client, 'validatingwebhookconfigurations');
  const mutating = await configurations(client, 'mutatingwebhookconfigurations');
  const own = validating.find(({ metadata }) => metadata.name === WEBHOOK_CONFIGURATION);
  const others = [...validating, ...mutating].filter(({ metadata }) => metadata.name !== WEBHOOK_CONFIGURATION);
  const overlapping = others.flatMap(({ metadata, webhooks }) =>
    webhooks.filter(asksAboutPods).map((webhook) => ({ configuration: metadata.name, webhook })),
  );
  const closed = overlapping.filter(({ webhook }) => webhook.failurePolicy !== 'Ignore');
  const details = overlapping.map(
    ({ configuration, webhook }) =>
      `${configuration}: ${webhook.name} (failurePolicy ${webhook.failurePolicy ?? 'Fail'}, ${webhook.timeoutSeconds ?? 10} s)`,
  );
  const other =
    overlapping.length === 0
      ? check('other-webhooks', 'ok', 'no other webhook is asked about pods')
      : check(
          'other-webhooks',
          closed.length === 0 ? 'ok' : 'warning',
          closed.length === 0
            ? 'other webhooks are asked about pods too'
            : 'other webhooks are asked about pods too; while one that fails closed is away, no pod is made',
          details,
        );
  return [await ownWebhook(client, clock, own), other];
}

async function ownWebhook(
  client: KubernetesClient,
  clock: Clock,
  own: Configuration | undefined,
): Promise<PreflightCheck> {
  if (own === undefined) return check('webhook', 'warning', 'our webhook is not registered: apply "guard manifests"');
  const problems: string[] = [];
  const details: string[] = [];
  for (const { name, clientConfig } of own.webhooks) {
    const { service, url, caBundle } = clientConfig;
    if (caBundle === undefined) problems.push(`${name}: no caBundle; the API server trusts none of our certificates`);
    else problems.push(...certificateProblems(name, caBundle, clock.now()));
    if (service === undefined) {
      details.push(`${name}: ${url ?? ''} (only the API server can tell whether it reaches it)`);
      continue;
    }
    const ready = await readyEndpoints(client, service);
    const where = `service ${service.namespace}/${service.name}`;
    if (ready === undefined) details.push(`${name}: ${where} (its endpoints may not be read)`);
    else if (ready === 0) problems.push(`${name}: ${where} has no ready endpoint`);
    else details.push(`${name}: ${where}, ${ready} ready`);
  }
  if (problems.length === 0) return check('webhook', 'ok', 'our webhook is registered', details);
  return check('webhook', 'problem', 'our webhook cannot be reached', [...problems, ...details]);
}

async function readyEndpoints(
  client: KubernetesClient,
  { namespace, name }: { namespace: string; name: string },
): Promise<number | undefined> {
  const path = `/apis/discovery.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/endpointslices`;
  const found = await orUndefined(client.get(path, { labelSelector: `kubernetes.io/service-name=${name}` }));
  const parsed = slicesSchema.safeParse(found);
  if (!parsed.success) return undefined;
  return parsed.data.items
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false).length;
}

function certificateProblems(name: string, caBundle: string, now: number): string[] {
  const pems = Buffer.from(caBundle, 'base64')
    .toString('utf8')
    .match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  if (!pems) return [`${name}: the caBundle holds no certificate`];
  try {
    const ends = pems.map((pem) => new X509Certificate(pem).validToDate.getTime());
    const last = Math.max(...ends);
    return last > now ? [] : [`${name}: every certificate authority in the caBundle ended ${toRfc3339(last)}`];
  } catch {
    return [`${name}: the caBundle cannot be read`];
  }
}

function asksAboutPods({ rules = [] }: Webhook): boolean {
  return rules.some(
    ({ apiGroups, resources, operations }) =>
      (apiGroups.includes('') || apiGroups.includes('*')) &&
      resources.some((one) => one === 'pods' || one === '*' || one === '*/*') &&
      operations.some((one) => one === 'CREATE' || one === '*'),
  );
}

async function configurations(client: KubernetesClient, plural: string): Promise<Configuration[]> {
  const found: Configuration[] = [];
  const read = async (): Promise<void> => {
    for await (const page of listPages(client, `${REGISTRATION}/${plural}`)) {
      found.push(...page.items.flatMap((item) => configurationSchema.safeParse(item).data ?? []));
    }
  };
  await orUndefined(read());
  return found;
}
