import { z } from 'zod';
import { WEBHOOK_CONFIGURATION } from '../admission/manifests.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

/** Namespaces that the API server never asks the guard about, as the webhook configuration says it. */
export interface WebhookExemptions {
  /** As far as it was read; empty before. */
  names(): readonly string[];
  stop(): void;
}

const PATH = `/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/${WEBHOOK_CONFIGURATION}`;
const EVERY_MS = 30_000;
const ENTRY = 'validation.gatekeeper.sh';
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

const expressionSchema = z.looseObject({
  key: z.string(),
  operator: z.string(),
  values: z.array(z.string()).nullish(),
});
const configurationSchema = z.looseObject({
  webhooks: z
    .array(
      z.looseObject({
        name: z.string(),
        namespaceSelector: z.looseObject({ matchExpressions: z.array(expressionSchema).nullish() }).nullish(),
      }),
    )
    .nullish(),
});

/** Reads the configuration now and every half minute; while it cannot be read, what was known counts. */
export function followWebhookExemptions(
  { client, logger }: { readonly client: Pick<KubernetesClient, 'get'>; readonly logger: Logger },
  everyMs = EVERY_MS,
): WebhookExemptions {
  let names: readonly string[] = [];

  async function read(): Promise<void> {
    try {
      names = namesIn(await client.get(PATH));
    } catch (error) {
      if (error instanceof KubernetesError && error.code === 'not_found') names = [];
      else logger.warn({ problem: messageOf(error) }, 'the webhook configuration cannot be read');
    }
  }

  void read();
  const timer = setInterval(() => void read(), everyMs);
  timer.unref();
  return { names: () => names, stop: () => clearInterval(timer) };
}

function namesIn(configuration: unknown): readonly string[] {
  const entry = configurationSchema.safeParse(configuration).data?.webhooks?.find(({ name }) => name === ENTRY);
  return (entry?.namespaceSelector?.matchExpressions ?? [])
    .filter(({ key, operator }) => key === NAMESPACE_NAME && operator === 'NotIn')
    .flatMap(({ values }) => values ?? []);
}
