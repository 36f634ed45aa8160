import { readWebhookBundles, trustsAll } from '../audit/webhook-bundle.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { GuardCertificateError, openCertificateSecret } from './certificates-secret.ts';
import { begun, bundleOf, certificateId, type Phase, phaseOf } from './certificates-state.ts';
import { readReplicas } from './replicas.ts';

/** How the shared certificates of a cluster stand. */
export interface CertificateStatus {
  readonly phase: Phase;
  readonly hosts: readonly string[];
  /** What all replicas shall serve; times in epoch ms. */
  readonly serving: { readonly id: string; readonly endsAt: number };
  readonly next?: { readonly id: string; readonly endsAt: number };
  readonly replicas: readonly { readonly id: string; readonly serves: string; readonly at: number }[];
  /** Webhook configurations of ours, and whether they trust all they must. */
  readonly configurations: readonly { readonly path: string; readonly trusted: boolean }[];
}

interface Signed {
  readonly leaf: { readonly cert: string; readonly notAfter: number };
}

function summary({ leaf }: Signed): { readonly id: string; readonly endsAt: number } {
  return { id: certificateId(leaf.cert), endsAt: leaf.notAfter };
}

/** Reads it from outside. Undefined when no guard has made certificates there yet. Throws `KubernetesError`. */
export async function certificateStatus(
  client: KubernetesClient,
  namespace: string,
): Promise<CertificateStatus | undefined> {
  const stored = await openCertificateSecret(client, namespace).read();
  if (stored === undefined) return undefined;
  const { state } = stored;
  return {
    phase: phaseOf(state),
    hosts: state.hosts,
    serving: summary(state.serving),
    ...(state.next ? { next: summary(state.next) } : {}),
    replicas: (await readReplicas(client, namespace)).filter(({ stopped }) => !stopped),
    configurations: (await readWebhookBundles(client)).map((one) => ({
      path: one.path,
      trusted: trustsAll(one, bundleOf(state)),
    })),
  };
}

/**
 * Begins a change of authority and certificate; the running replicas carry it out. Gives the name of the new
 * certificate. Throws `rotation_under_way`, and `KubernetesError`.
 */
export async function beginRotation(client: KubernetesClient, namespace: string, clock: Clock): Promise<string> {
  const secret = openCertificateSecret(client, namespace);
  const stored = await secret.read();
  if (stored === undefined) {
    throw new KubernetesError('not_found', `no guard has made certificates in namespace ${namespace} yet`);
  }
  if (phaseOf(stored.state) !== 'stable') {
    throw new GuardCertificateError(
      'rotation_under_way',
      'the certificates are being changed already; "breakwater guard certificates status" says how far it is',
    );
  }
  const state = await begun(stored.state, stored.state.hosts, clock.now());
  await secret.replace(stored, state);
  return certificateId((state.next ?? state.serving).leaf.cert);
}
