import { createPrivateKey, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate with its private key, PEM; times in epoch ms. */
export interface KeyedCertificate {
  readonly cert: string;
  readonly key: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY = 86_400_000;
/** Clocks of other machines may be a little behind. */
const CLOCK_SKEW = 3_600_000;

/** A new self-signed authority that may sign server certificates and no other authority. */
export async function issueAuthority(now: number, days: number): Promise<KeyedCertificate> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const [notBefore, notAfter] = [new Date(now - CLOCK_SKEW), new Date(now + days * DAY)];
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: newSerial(),
      name: `CN=breakwater webhook authority ${notBefore.toISOString().slice(0, 10)}`,
      notBefore,
      notAfter,
      signingAlgorithm: ALGORITHM,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, 0, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return keyed(certificate, keys.privateKey, { notBefore: now, notAfter: +notAfter });
}

/** A server certificate for the given DNS names and IP addresses; ends with its authority at the latest. */
export async function issueLeaf(
  authority: KeyedCertificate,
  hosts: readonly string[],
  now: number,
  days: number,
): Promise<KeyedCertificate> {
  const issuer = new X509Certificate(authority.cert);
  const signingKey = await importKey(authority.key);
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const notAfter = new Date(Math.min(now + days * DAY, authority.notAfter));
  const certificate = await X509CertificateGenerator.create(
    {
      serialNumber: newSerial(),
      subject: 'CN=breakwater webhook',
      issuer: issuer.subject,
      notBefore: new Date(now - CLOCK_SKEW),
      notAfter,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey,
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension(
          hosts.map((host) => ({ type: isIP(host) === 0 ? ('dns' as const) : ('ip' as const), value: host })),
        ),
        await AuthorityKeyIdentifierExtension.create(issuer),
        await SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    },
    webcrypto,
  );
  return keyed(certificate, keys.privateKey, { notBefore: now, notAfter: +notAfter });
}

/** `times.notBefore` is the moment of issue, without the clock skew the certificate itself allows for. */
async function keyed(
  certificate: X509Certificate,
  key: webcrypto.CryptoKey,
  times: { readonly notBefore: number; readonly notAfter: number },
): Promise<KeyedCertificate> {
  return { cert: certificate.toString('pem'), key: await exportKey(key), ...times };
}

function newSerial(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  // The first bit clear keeps the number positive, the second set keeps it from losing its first byte (RFC 5280 §4.1.2.2).
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  const bytes = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' });
}

async function importKey(pem: string): Promise<webcrypto.CryptoKey> {
  const bytes = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return webcrypto.subtle.importKey('pkcs8', bytes, ALGORITHM, false, ['sign']);
}
