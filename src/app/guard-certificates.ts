import { join } from 'node:path';
import { openCertificates } from '../admission/certificates.ts';
import { publishCaBundle } from '../audit/webhook-bundle.ts';
import type { Config } from '../config.ts';
import { endProblem, type GuardCertificates } from '../guard/certificates.ts';
import { certificateFiles, openForeignCertificates, tlsSecret } from '../guard/certificates-foreign.ts';
import { openCertificateSecret } from '../guard/certificates-secret.ts';
import { openSharedCertificates } from '../guard/certificates-shared.ts';
import { certificateId } from '../guard/certificates-state.ts';
import type { Replica } from '../guard/replicas.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';

export interface GuardCertificateDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly hosts: readonly string[];
  /** Absent without access to a cluster. */
  readonly client?: KubernetesClient | undefined;
  /** True when all replicas share their certificates through the cluster. */
  readonly shared: boolean;
  replicas(): Promise<readonly Replica[]>;
}

/** The certificates that the settings ask for: foreign ones, those of the cluster, or our own in the data folder. */
export async function openGuardCertificates(deps: GuardCertificateDeps): Promise<GuardCertificates> {
  const { config, clock, logger, client, hosts } = deps;
  const settleMs = config.guardSettleSeconds * 1000;
  const source = foreignSource(deps);
  if (source) {
    const publishTo = config.guardPublishCa ? client : undefined;
    return openForeignCertificates({ source, clock, logger, settleMs, ...(publishTo ? { publishTo } : {}) });
  }
  if (client && deps.shared) {
    const secret = openCertificateSecret(client, config.guardNamespace);
    const timing = { settleMs, goneMs: Math.max(300_000, 10 * settleMs) };
    return openSharedCertificates({ client, clock, logger, secret, hosts, replicas: () => deps.replicas(), timing });
  }
  return folderCertificates(deps);
}

function foreignSource({ config, client }: GuardCertificateDeps) {
  const { guardTlsCert: cert, guardTlsKey: key, guardTlsCa: ca, guardTlsSecret } = config;
  if (cert !== undefined && key !== undefined)
    return certificateFiles({ cert, key, ...(ca === undefined ? {} : { ca }) });
  return guardTlsSecret !== undefined && client ? tlsSecret(client, config.guardNamespace, guardTlsSecret) : undefined;
}

/** Looks after them about twice a day: a change takes weeks there. */
const FOLDER_CHECK_MS = 12 * 3600 * 1000;

async function folderCertificates({ config, clock, client, hosts }: GuardCertificateDeps): Promise<GuardCertificates> {
  const own = await openCertificates({ folder: join(config.dataDir, 'webhook'), hosts, clock });
  let lookedAt = Number.NEGATIVE_INFINITY;
  const endsAt = () => own.endsAt();
  return {
    tls: () => own.tls(),
    serves: () => certificateId(own.tls().cert),
    caBundle: () => own.caBundle,
    endsAt,
    async step() {
      if (clock.now() - lookedAt < FOLDER_CHECK_MS) return;
      await own.renew();
      if (client) await publishCaBundle(client, own.caBundle, clock);
      lookedAt = clock.now();
    },
    busy: () => false,
    problem: () => endProblem(endsAt(), clock.now()),
  };
}
