import { type Digest, tryParseDigest } from '../../oci/digest.ts';
import { JsonError, parseStrictJson } from '../../oci/strict-json.ts';
import { asObject, listOf, member, textOf } from './json.ts';

/** Envelopes within envelopes. */
const DEEPEST = 4;
/** Signatures of one envelope that are looked at. */
const MOST_SIGNATURES = 16;
const MOST_SUBJECTS = 1000;
/** Larger ones are documents that stand for themselves. */
const LARGEST_WRAPPED = 64 * 1024 * 1024;
/** What is larger is parsed only when it has the words of an envelope at one of its ends. */
const SMALL = 1024 * 1024;
const PEEK = 4096;

/** Bytes that somebody signed, and what they claim to be the signature of them. */
export interface SignedBytes {
  /** What the signature was made over. */
  readonly message: Buffer;
  readonly signature: Buffer;
}

/** A VEX document taken out of what it came in. */
export interface OpenedEnvelope {
  /** The document itself. */
  readonly bytes: Buffer;
  /** Every signature over what holds the document. Whether one of them counts is for others to say. */
  readonly signatures: readonly SignedBytes[];
  /** The images the attestation is about (in-toto, `subject`): it says nothing about others. Absent without an attestation. */
  readonly subjects?: readonly Digest[];
}

/**
 * Takes a document out of a Sigstore bundle, a DSSE envelope and an in-toto statement, whatever of these there is. Everything within is
 * read strictly, so that who verifies and who reads see the same. Throws `JsonError` for an envelope that is not one.
 */
export function openEnvelope(bytes: Buffer): OpenedEnvelope {
  return open({ bytes, signatures: [] }, DEEPEST);
}

function open(opened: OpenedEnvelope, depth: number): OpenedEnvelope {
  if (!mayBeWrapped(opened.bytes)) return opened;
  const inner = innerOf(parseStrictJson(opened.bytes), opened);
  if (inner === undefined) return opened;
  if (depth === 0) throw new JsonError('json_invalid', `more than ${DEEPEST} envelopes within each other`);
  return open(inner, depth - 1);
}

function mayBeWrapped(bytes: Buffer): boolean {
  if (bytes.byteLength <= SMALL) return true;
  if (bytes.byteLength > LARGEST_WRAPPED) return false;
  const ends = Buffer.concat([bytes.subarray(0, PEEK), bytes.subarray(-PEEK)]).toString('latin1');
  return /"(?:payload|payloadType|dsseEnvelope|predicateType|predicate|_type)"/.test(ends);
}

function innerOf(value: unknown, outer: OpenedEnvelope): OpenedEnvelope | undefined {
  const envelope = asObject(member(value, 'dsseEnvelope')) ?? value;
  const payload = member(envelope, 'payload');
  const payloadType = textOf(envelope, 'payloadType');
  if (typeof payload === 'string' && payloadType !== undefined)
    return openDsse(envelope, { payload: decode(payload), payloadType });
  if (!textOf(value, '_type')?.startsWith('https://in-toto.io/Statement')) return undefined;
  const predicate = member(value, 'predicate');
  // Older versions of cosign have the document one level deeper.
  const document = asObject(member(predicate, 'Data')) ?? asText(member(predicate, 'Data')) ?? predicate;
  const bytes = Buffer.from(typeof document === 'string' ? document : (JSON.stringify(document) ?? ''));
  return { ...outer, bytes, subjects: narrowed(outer.subjects, subjectsOf(value)) };
}

/** DSSE 1.0.2: the signatures are over the type and the payload together, in pre-authentication encoding. */
function openDsse(
  envelope: unknown,
  { payload, payloadType }: { readonly payload: Buffer; readonly payloadType: string },
): OpenedEnvelope {
  const message = preAuthenticationEncoding(payloadType, payload);
  const signatures = listOf(envelope, 'signatures')
    .slice(0, MOST_SIGNATURES)
    .flatMap((entry) => {
      const text = textOf(entry, 'sig');
      return text === undefined ? [] : [{ message, signature: decode(text) }];
    });
  // What stands outside of this envelope is not under its signatures, nor are signatures of the outside over it.
  return { bytes: payload, signatures };
}

/** `DSSEv1 <length of type> <type> <length of payload> <payload>`. */
export function preAuthenticationEncoding(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} `), type, Buffer.from(` ${payload.length} `), payload]);
}

function subjectsOf(statement: unknown): readonly Digest[] {
  return listOf(statement, 'subject')
    .slice(0, MOST_SUBJECTS)
    .flatMap((subject) => {
      const hashes = asObject(member(subject, 'digest')) ?? {};
      return Object.entries(hashes).flatMap(([algorithm, hex]) => {
        const digest = typeof hex === 'string' ? tryParseDigest(`${algorithm}:${hex}`) : undefined;
        return digest === undefined ? [] : [digest];
      });
    });
}

function narrowed(before: readonly Digest[] | undefined, now: readonly Digest[]): readonly Digest[] {
  return before === undefined ? now : now.filter((digest) => before.includes(digest));
}

function asText(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

/** Base64 in either alphabet. */
function decode(text: string): Buffer {
  return Buffer.from(text.replaceAll('-', '+').replaceAll('_', '/'), 'base64');
}
