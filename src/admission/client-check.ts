import { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Server } from 'node:https';
import type { PeerCertificate, TLSSocket } from 'node:tls';
import { CodedError, messageOf } from '../platform/errors.ts';

/** Who may call the webhook: holders of a certificate of these authorities (PEM) with one of these common names. */
export interface ClientCheck {
  readonly authorities: string;
  readonly names: readonly string[];
}

/** The file cannot be read, or holds no certificate. */
class ClientCheckError extends CodedError<'client_authority_invalid'> {}

/** Reads a file of authorities. Throws `ClientCheckError`: with a damaged file nobody could call, or everybody. */
export async function readAuthorities(path: string): Promise<string> {
  try {
    const text = await readFile(path, 'utf8');
    for (const pem of text.match(PEM) ?? ['']) void new X509Certificate(pem);
    return text;
  } catch (error) {
    const why = `BREAKWATER_GUARD_CLIENT_CA: ${path} holds no authorities (PEM): ${messageOf(error)}`;
    throw new ClientCheckError('client_authority_invalid', why, { cause: error });
  }
}

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** TLS options that ask callers for a certificate and end the connection of those who have none of the right authority. */
export function clientOptions(
  check: ClientCheck | undefined,
): { ca: string; requestCert: true; rejectUnauthorized: true } | undefined {
  return check && { ca: check.authorities, requestCert: true, rejectUnauthorized: true };
}

/** Ends the connections of callers with another name before a request is read from them. */
export function refuseOtherNames(server: Server, { names }: ClientCheck, onRefused: (why: string) => void): void {
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    const found = commonNames(socket.getPeerCertificate());
    if (found.some((name) => names.includes(name))) return;
    onRefused(`the certificate is for ${JSON.stringify(found.join(', ').slice(0, 200))}`);
    socket.destroy();
  });
  server.on('tlsClientError', (error) => onRefused(error.message.trim()));
}

/** Absent for a caller without a certificate, whom TLS has refused already. */
function commonNames(certificate: Partial<PeerCertificate>): string[] {
  return [certificate.subject?.CN ?? []].flat();
}
