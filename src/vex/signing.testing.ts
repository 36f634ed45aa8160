import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import { preAuthenticationEncoding } from '../scanner/vex/envelope.ts';

/** A pair of keys; the public half in PEM, as an author is declared with it. */
export interface TestKey {
  readonly privateKey: KeyObject;
  readonly pem: string;
}

export function testKey(type: 'ec' | 'ed25519' | 'rsa' = 'ec'): TestKey {
  const { privateKey, publicKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
      : type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ed25519');
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) };
}

export function signBytes(bytes: Buffer, { privateKey }: TestKey): Buffer {
  return sign(privateKey.asymmetricKeyType === 'ed25519' ? null : 'sha256', bytes, privateKey);
}

/** A DSSE envelope around a document, or around an attestation of it for images. */
export function dsse(document: object, key: TestKey, subjects?: readonly Digest[]): object {
  const inner =
    subjects === undefined
      ? document
      : {
          _type: 'https://in-toto.io/Statement/v0.1',
          predicateType: 'https://openvex.dev/ns',
          subject: subjects.map((digest) => ({ name: 'app', digest: { sha256: hexOf(digest) } })),
          predicate: document,
        };
  const payloadType = subjects === undefined ? 'application/vnd.openvex+json' : 'application/vnd.in-toto+json';
  const payload = Buffer.from(JSON.stringify(inner));
  const sig = signBytes(preAuthenticationEncoding(payloadType, payload), key).toString('base64');
  return { payloadType, payload: payload.toString('base64'), signatures: [{ keyid: '', sig }] };
}

/** An OpenVEX document with one statement. */
export function openVexOf(statement: object, over: object = {}): object {
  return {
    '@context': 'https://openvex.dev/ns/v0.2.0',
    '@id': 'https://acme.example/vex/1',
    author: 'Acme',
    timestamp: '2026-01-01T00:00:00Z',
    version: 1,
    statements: [{ status: 'not_affected', justification: 'vulnerable_code_not_present', ...statement }],
    ...over,
  };
}

export function bytesOf(document: object): Buffer {
  return Buffer.from(JSON.stringify(document));
}
