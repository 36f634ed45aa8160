import { z } from 'zod';
import { SECRET_NAME } from '../admission/guard-rights.ts';
import { setBundle, trustsAll, type WebhookBundles } from '../audit/webhook-bundle.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { CodedError, messageOf } from '../platform/errors.ts';
import { bundleOf, type CertificateState, stateSchema } from './certificates-state.ts';

export class GuardCertificateError extends CodedError<'certificate_secret_invalid' | 'rotation_under_way'> {}

const STATE_KEY = 'state.json';

const secretSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  data: z.record(z.string(), z.string()).nullish(),
});

/** The certificates as they stand in the cluster. */
export interface StoredCertificates {
  readonly state: CertificateState;
  /** To change only what was read. */
  readonly resourceVersion: string;
}

/** The Secret that all replicas share. Throws `KubernetesError`; `GuardCertificateError` when it holds something else. */
export interface CertificateSecret {
  read(): Promise<StoredCertificates | undefined>;
  /** `conflict` when another replica was faster. */
  create(state: CertificateState): Promise<StoredCertificates>;
  /** `conflict` when it was changed since it was read. */
  replace(before: StoredCertificates, state: CertificateState): Promise<StoredCertificates>;
}

export function openCertificateSecret(
  client: KubernetesClient,
  namespace: string,
  name = SECRET_NAME,
): CertificateSecret {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets`;
  const path = `${collection}/${encodeURIComponent(name)}`;

  function stored(object: unknown): StoredCertificates {
    const { metadata, data } = secretSchema.parse(object);
    try {
      const text = Buffer.from(data?.[STATE_KEY] ?? '', 'base64').toString('utf8');
      return { state: stateSchema.parse(JSON.parse(text)), resourceVersion: metadata.resourceVersion };
    } catch (error) {
      throw new GuardCertificateError(
        'certificate_secret_invalid',
        `the Secret ${namespace}/${name} does not hold certificates of the guard; delete it to have new ones made`,
        { cause: error },
      );
    }
  }

  return {
    async read() {
      try {
        return stored(await client.get(path));
      } catch (error) {
        if (error instanceof KubernetesError && error.code === 'not_found') return undefined;
        throw error;
      }
    },
    create: async (state) =>
      stored(
        await client.create(collection, {
          apiVersion: 'v1',
          kind: 'Secret',
          type: 'Opaque',
          metadata: { name, namespace, labels: { 'app.kubernetes.io/name': 'breakwater' } },
          data: dataOf(state),
        }),
      ),
    replace: async ({ resourceVersion }, state) =>
      stored(await client.patch(path, { metadata: { resourceVersion }, data: dataOf(state) })),
  };
}

/** `ca.crt` is for people and tools; only the state is read again. */
function dataOf(state: CertificateState): Record<string, string> {
  return { [STATE_KEY]: base64(JSON.stringify(state)), 'ca.crt': base64(`${bundleOf(state)}\n`) };
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

/**
 * Has every webhook configuration of ours trust what the state says. `configurations` must have been read before the
 * state was: then a change of both by another replica ends in a conflict, never in an older bundle. Tells whether all
 * trust at least that.
 */
export async function publish(
  client: KubernetesClient,
  configurations: readonly WebhookBundles[],
  state: CertificateState,
): Promise<{ readonly trusted: boolean; readonly problem?: string }> {
  const bundle = bundleOf(state);
  let trusted = true;
  let problem: string | undefined;
  for (const configuration of configurations) {
    const before = trustsAll(configuration, bundle);
    try {
      await setBundle(client, configuration, bundle);
    } catch (error) {
      // A conflict is another replica that does the same; whatever it is, the next look tells.
      if (!(error instanceof KubernetesError) || error.code !== 'conflict') problem = messageOf(error);
      trusted &&= before;
    }
  }
  return { trusted, ...(problem === undefined ? {} : { problem }) };
}
