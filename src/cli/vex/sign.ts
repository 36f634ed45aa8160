import { createPrivateKey, type KeyObject, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { messageOf } from '../../platform/errors.ts';
import { preAuthenticationEncoding } from '../../scanner/vex/envelope.ts';
import { CliError } from '../exit.ts';

/** A document in a DSSE envelope, signed with a private key. Equal documents and Ed25519 or RSA keys give equal envelopes. */
export function signDocument(document: string, payloadType: string, key: KeyObject): string {
  const payload = Buffer.from(document);
  const algorithm = key.asymmetricKeyType === 'ed25519' ? null : 'sha256';
  const signature = sign(algorithm, preAuthenticationEncoding(payloadType, payload), key);
  return JSON.stringify({
    payloadType,
    payload: payload.toString('base64'),
    signatures: [{ sig: signature.toString('base64') }],
  });
}

/** A private key in PEM, not encrypted: ECDSA, Ed25519 or RSA. Throws `CliError`. */
export async function readPrivateKey(path: string): Promise<KeyObject> {
  let key: KeyObject;
  try {
    key = createPrivateKey(await readFile(path));
  } catch (error) {
    throw new CliError(
      'failed',
      `${path} is no private key in PEM that can be used: ${messageOf(error)}. Give one that is not encrypted, as "openssl genpkey" makes it.`,
      { cause: error },
    );
  }
  if (!['ed25519', 'ec', 'rsa'].includes(key.asymmetricKeyType ?? ''))
    throw new CliError('failed', `${path} is a key for ${key.asymmetricKeyType}; use ECDSA, Ed25519 or RSA`);
  return key;
}
