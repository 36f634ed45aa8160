import { createPublicKey, type KeyObject } from 'node:crypto';
import { digestOf } from '../oci/digest.ts';
import { VexError } from './errors.ts';

const LONGEST_PEM = 8192;
const SMALLEST_RSA = 2048;
const LARGEST_RSA = 8192;

/** A public key that signatures can be checked with. */
export interface VexKey {
  readonly key: KeyObject;
  /** PEM, always in one form. */
  readonly pem: string;
  /** `sha256:…` of the key in DER: two forms of one key have one. */
  readonly fingerprint: string;
}

/** Reads a public key in PEM: ECDSA on P-256, Ed25519 or RSA. Throws `VexError('author_invalid')` that says which are taken. */
export function readPublicKey(pem: string): VexKey {
  if (/PRIVATE KEY/.test(pem))
    throw new VexError('author_invalid', 'this is a private key: give the public one, and replace the pair');
  const key = parse(pem);
  const problem = problemOf(key);
  if (problem !== undefined)
    throw new VexError(
      'author_invalid',
      `${problem}; keys may be ECDSA on P-256, Ed25519, or RSA of 2048 bits and more`,
    );
  const der = key.export({ type: 'spki', format: 'der' });
  return { key, pem: key.export({ type: 'spki', format: 'pem' }), fingerprint: digestOf(der) };
}

function parse(pem: string): KeyObject {
  try {
    if (pem.length <= LONGEST_PEM && pem.includes('-----BEGIN')) return createPublicKey(pem);
  } catch {
    // Said below, for what is no key at all as well.
  }
  throw new VexError('author_invalid', 'the key is no public key in PEM, as cosign.pub is one');
}

function problemOf({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): string | undefined {
  if (type === 'ed25519') return undefined;
  if (type === 'ec') return details?.namedCurve === 'prime256v1' ? undefined : `its curve is ${details?.namedCurve}`;
  if (type !== 'rsa') return `it is a key for ${type}`;
  const bits = details?.modulusLength ?? 0;
  return bits >= SMALLEST_RSA && bits <= LARGEST_RSA ? undefined : `it has ${bits} bits`;
}
