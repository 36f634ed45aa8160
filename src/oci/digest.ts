import { createHash, type Hash } from 'node:crypto';
import { CodedError } from '../platform/errors.ts';

export class DigestError extends CodedError<'digest_invalid' | 'digest_unsupported'> {}

/** `sha256:<64 hex>` or `sha512:<128 hex>`, lower case. Only `parseDigest` and the hash functions here make one. */
export type Digest = `sha256:${string}` | `sha512:${string}`;
export type DigestAlgorithm = 'sha256' | 'sha512';

const HEX_LENGTH: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 };
const GRAMMAR = /^[a-z0-9]+(?:[+._-][a-z0-9]+)*:[a-zA-Z0-9=_-]+$/;

/**
 * Parses a digest as the image specification defines it (descriptor.md, "Digests").
 * Throws `digest_invalid` for anything malformed and `digest_unsupported` for an algorithm we do not verify.
 */
export function parseDigest(text: string): Digest {
  if (!GRAMMAR.test(text))
    throw new DigestError(
      'digest_invalid',
      `"${shorten(text)}" is not a digest; expected algorithm:hex, like sha256:<64 hex>`,
    );
  const colon = text.indexOf(':');
  const algorithm = text.slice(0, colon);
  if (algorithm !== 'sha256' && algorithm !== 'sha512') {
    throw new DigestError(
      'digest_unsupported',
      `digest algorithm "${shorten(algorithm)}" is not supported; use sha256 or sha512`,
    );
  }
  const hex = text.slice(colon + 1);
  if (hex.length !== HEX_LENGTH[algorithm] || !/^[0-9a-f]+$/.test(hex)) {
    throw new DigestError(
      'digest_invalid',
      `"${shorten(text)}" is not a ${algorithm} digest; expected ${HEX_LENGTH[algorithm]} lower-case hex digits`,
    );
  }
  return text as Digest;
}

/** Like `parseDigest`, but undefined instead of an error. */
export function tryParseDigest(text: string): Digest | undefined {
  try {
    return parseDigest(text);
  } catch (error) {
    if (error instanceof DigestError) return undefined;
    throw error;
  }
}

export function algorithmOf(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha256:') ? 'sha256' : 'sha512';
}

export function hexOf(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1);
}

/** The digest of bytes that are in memory. */
export function digestOf(bytes: Uint8Array | string, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return digestFrom(algorithm, createHash(algorithm).update(bytes));
}

/** The digest held by a running hash. The hash cannot be used afterwards. */
export function digestFrom(algorithm: DigestAlgorithm, hash: Hash): Digest {
  return `${algorithm}:${hash.digest('hex')}`;
}

function shorten(text: string): string {
  return text.length <= 140 ? text : `${text.slice(0, 137)}...`;
}
