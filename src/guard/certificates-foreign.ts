import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { TlsMaterial } from '../admission/server.ts';
import { publishCaBundle } from '../audit/webhook-bundle.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { CodedError, messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { endProblem, type GuardCertificates } from './certificates.ts';
import { certificateId } from './certificates-state.ts';

export class ForeignCertificateError extends CodedError<'foreign_certificate_invalid'> {}

/** A certificate that somebody else makes and renews: cert-manager, an administrator. */
export interface ForeignSource {
  /** For messages: the files or the Secret. */
  readonly name: string;
  /** PEM texts as they are now. */
  read(): Promise<TlsMaterial & { readonly ca?: string }>;
}

export interface ForeignCertificateDeps {
  readonly source: ForeignSource;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the authorities of the source are published; nowhere when absent: then that is somebody else's work too. */
  readonly publishTo?: KubernetesClient;
  /** How long a new authority is published before what it signed is served. */
  readonly settleMs?: number;
}

const SETTLE_MS = 30_000;
const LARGEST_FILE = 1_048_576;

/**
 * Serves a foreign certificate and takes up another one without a restart; writes neither files nor Secret. What cannot
 * be used (half written, a key of another certificate) is a problem and changes nothing. Throws
 * `ForeignCertificateError` when there is nothing to begin with.
 */
export async function openForeignCertificates(deps: ForeignCertificateDeps): Promise<GuardCertificates> {
  const { source, clock, logger, publishTo } = deps;
  let held = await usable(source);
  let coming: { readonly material: Material; readonly since: number } | undefined;
  let problem: string | undefined;
  if (publishTo && held.ca !== undefined) await publishCaBundle(publishTo, held.ca, clock);

  async function look(): Promise<void> {
    const found = await usable(source);
    const { ca } = found;
    if (publishTo && ca !== undefined) await publishCaBundle(publishTo, ca, clock);
    if (found.id === held.id) {
      coming = undefined;
      held = found;
      return;
    }
    const known = publishTo === undefined || ca === held.ca;
    if (!known && coming?.material.id !== found.id) coming = { material: found, since: clock.now() };
    if (!known && clock.now() - (coming?.since ?? 0) < (deps.settleMs ?? SETTLE_MS)) return;
    logger.info({ before: held.id, after: found.id, source: source.name }, 'serves another certificate');
    held = found;
    coming = undefined;
  }

  return {
    tls: () => held.tls,
    serves: () => held.id,
    caBundle: () => held.ca,
    endsAt: () => held.endsAt,
    async step() {
      try {
        await look();
        problem = undefined;
      } catch (error) {
        problem = messageOf(error);
        throw error;
      }
    },
    busy: () => coming !== undefined,
    problem: () => problem ?? endProblem(held.endsAt, clock.now()),
  };
}

interface Material {
  readonly tls: TlsMaterial;
  readonly ca: string | undefined;
  readonly id: string;
  readonly endsAt: number;
}

async function usable(source: ForeignSource): Promise<Material> {
  try {
    const { cert, key, ca } = await source.read();
    const certificate = new X509Certificate(cert);
    if (!certificate.checkPrivateKey(createPrivateKey(key))) throw new Error('the key belongs to another certificate');
    return { tls: { cert, key }, ca, id: certificateId(cert), endsAt: Date.parse(certificate.validTo) };
  } catch (error) {
    throw new ForeignCertificateError(
      'foreign_certificate_invalid',
      `the certificate in ${source.name} cannot be used: ${messageOf(error)}`,
      { cause: error },
    );
  }
}

/** Files, as a mounted Secret has them: read anew each time, so that swapped links are seen. */
export function certificateFiles(files: { cert: string; key: string; ca?: string }): ForeignSource {
  return {
    name: files.cert,
    async read() {
      const [cert, key, ca] = await Promise.all([
        text(files.cert),
        text(files.key),
        files.ca === undefined ? undefined : text(files.ca),
      ]);
      return { cert, key, ...(ca === undefined ? {} : { ca }) };
    },
  };
}

const tlsSecretSchema = z.looseObject({
  data: z.looseObject({ 'tls.crt': z.string(), 'tls.key': z.string(), 'ca.crt': z.string().optional() }),
});

/** A Secret of type `kubernetes.io/tls`, such as cert-manager makes. */
export function tlsSecret(client: KubernetesClient, namespace: string, name: string): ForeignSource {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/secrets/${encodeURIComponent(name)}`;
  return {
    name: `the Secret ${namespace}/${name}`,
    async read() {
      const parsed = tlsSecretSchema.safeParse(await client.get(path));
      if (!parsed.success) throw new Error('it has no tls.crt and tls.key');
      const { data } = parsed.data;
      const ca = data['ca.crt'];
      return {
        cert: plain(data['tls.crt']),
        key: plain(data['tls.key']),
        ...(ca === undefined || ca === '' ? {} : { ca: plain(ca) }),
      };
    },
  };
}

function plain(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}

async function text(path: string): Promise<string> {
  const content = await readFile(path, 'utf8');
  if (content.length > LARGEST_FILE) throw new Error(`${path} is larger than ${LARGEST_FILE} bytes`);
  return content;
}
