import { constants, type KeyObject, verify } from 'node:crypto';
import type { SignedBytes } from '../scanner/vex/envelope.ts';

/** True when the signature over the bytes was made with the private half of the key. Never throws. */
export function isSignedBy(key: KeyObject, { message, signature }: SignedBytes): boolean {
  try {
    switch (key.asymmetricKeyType) {
      case 'ed25519':
        return verify(null, message, key, signature);
      case 'ec':
        return verify('sha256', message, key, signature);
      case 'rsa':
        return PADDINGS.some((padding) => verify('sha256', message, { key, padding }, signature));
      default:
        return false;
    }
  } catch {
    return false;
  }
}

/** Both are in use: cosign signs with the first, others with the second. */
const PADDINGS = [constants.RSA_PKCS1_PADDING, constants.RSA_PKCS1_PSS_PADDING] as const;
