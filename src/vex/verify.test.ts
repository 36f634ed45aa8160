import { describe, expect, it } from 'vitest';
import { digestOf } from '../oci/digest.ts';
import { openEnvelope } from '../scanner/vex/envelope.ts';
import { readPublicKey } from './keys.ts';
import { bytesOf, dsse, openVexOf, signBytes, testKey } from './signing.testing.ts';
import { isSignedBy } from './verify.ts';

const image = digestOf('image');
const document = openVexOf({ vulnerability: 'CVE-2026-1', products: ['pkg:npm/a'] });

describe('signatures', () => {
  it.each(['ec', 'ed25519', 'rsa'] as const)('of %s keys are verified, over a type and a payload together', (type) => {
    const [own, other] = [testKey(type), testKey(type)];
    const opened = openEnvelope(bytesOf(dsse(document, own)));
    expect(JSON.parse(opened.bytes.toString())).toEqual(document);
    const verdicts = [own, other].map((key) =>
      opened.signatures.some((signed) => isSignedBy(readPublicKey(key.pem).key, signed)),
    );
    expect(verdicts).toEqual([true, false]);
  });

  it('do not hold for another payload, nor for the same under another type', () => {
    const key = testKey();
    const { key: verifying } = readPublicKey(key.pem);
    const envelope = dsse(document, key) as Record<string, unknown>;
    const changed = Buffer.from(JSON.stringify({ ...document, author: 'Mallory' })).toString('base64');
    for (const forged of [
      { ...envelope, payload: changed },
      { ...envelope, payloadType: 'application/vnd.in-toto+json' },
      { ...envelope, signatures: [{ sig: '' }, { sig: 'AAAA' }, {}] },
    ])
      for (const signed of openEnvelope(bytesOf(forged)).signatures) expect(isSignedBy(verifying, signed)).toBe(false);
  });

  it('of what is around an envelope are not those of what is in it', () => {
    const [outer, inner] = [testKey(), testKey()];
    const nested = dsse(dsse(document, inner), outer);
    const opened = openEnvelope(bytesOf(nested));
    const by = (pem: string) => opened.signatures.some((signed) => isSignedBy(readPublicKey(pem).key, signed));
    expect([by(inner.pem), by(outer.pem)]).toEqual([true, false]);
  });

  it('name the images an attestation is about', () => {
    expect(openEnvelope(bytesOf(dsse(document, testKey(), [image]))).subjects).toEqual([image]);
    expect(openEnvelope(bytesOf(dsse(document, testKey()))).subjects).toBeUndefined();
  });

  it('are found in a bundle of Sigstore, and a bare attestation has none', () => {
    const envelope = dsse(document, testKey(), [image]);
    const bundle = { mediaType: 'application/vnd.dev.sigstore.bundle.v0.3+json', dsseEnvelope: envelope };
    expect(openEnvelope(bytesOf(bundle))).toMatchObject({ subjects: [image], signatures: [{}] });
    const statement = { _type: 'https://in-toto.io/Statement/v1', subject: [], predicate: document };
    expect(openEnvelope(bytesOf(statement))).toMatchObject({ subjects: [], signatures: [] });
  });

  it('end at a few envelopes within each other', () => {
    let deep: object = document;
    for (let level = 0; level < 8; level += 1) deep = dsse(deep, testKey('ed25519'));
    expect(() => openEnvelope(bytesOf(deep))).toThrow('envelopes within each other');
  });
});

describe('public keys', () => {
  it('have one fingerprint however they are written', () => {
    const { pem } = testKey();
    expect(readPublicKey(pem).fingerprint).toBe(readPublicKey(`\n${pem}\n`).fingerprint);
  });

  it.each([
    ['no key', 'what'],
    ['a certificate that is none', '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
    ['a private key', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
  ])('are not %s', (_, pem) => {
    expect(() => readPublicKey(pem)).toThrow(/public key in PEM|private key/);
  });

  it('are signed bytes verified with, where the signature stands apart', () => {
    const key = testKey('rsa');
    const bytes = bytesOf(document);
    const signed = { message: bytes, signature: signBytes(bytes, key) };
    expect(isSignedBy(readPublicKey(key.pem).key, signed)).toBe(true);
    expect(isSignedBy(readPublicKey(key.pem).key, { ...signed, message: Buffer.from('other') })).toBe(false);
  });
});
