import { type Digest, digestOf } from '../../oci/digest.ts';
import { JsonError, parseStrictJson } from '../../oci/strict-json.ts';
import { openEnvelope, type SignedBytes } from './envelope.ts';
import { readerOf } from './format.ts';
import { textOf } from './json.ts';
import { readLargeCsaf } from './large-csaf.ts';
import type { VexStatement } from './types.ts';

/** Largest document that is taken in, in bytes. */
export const LARGEST_DOCUMENT = 128 * 1024 * 1024;
/** Larger ones are read part after part, which only CSAF can be. */
const WHOLE = 16 * 1024 * 1024;
/** CSAF is from here on: parsing it as a whole would hold up others. */
const PARTS = 1024 * 1024;
const MOST_STATEMENTS = 50_000;
/** Products named in all statements of a document: what is kept of it must stay bounded. */
const MOST_PRODUCTS = 500_000;
const MOST_PROBLEMS = 50;

export type VexFormat = 'openvex' | 'csaf' | 'cyclonedx';

/** A document that was read whole, with what is needed to find out whether it counts. */
export interface VexDocument {
  readonly format: VexFormat;
  /** Who it says wrote it: a text, nothing more. */
  readonly author: string;
  readonly statements: readonly VexStatement[];
  /** What of it could not be used, each a sentence. */
  readonly problems: readonly string[];
  readonly signatures: readonly SignedBytes[];
  /** Of the document itself, whatever it came in. */
  readonly content: Digest;
  /** Images an attestation is about; absent without one. */
  readonly subjects?: readonly Digest[];
}

/**
 * Reads a VEX document as a server takes it: OpenVEX, CSAF 2 or CycloneDX, bare or in the envelopes that `openEnvelope` knows. Strict and
 * bounded. `signature` is a detached one over the bytes as they are. Gives why it cannot be read, in words that go on from its name.
 */
export async function readVexDocument(
  bytes: Buffer,
  name: string,
  signature?: Buffer,
): Promise<VexDocument | { readonly refused: string }> {
  if (bytes.byteLength > LARGEST_DOCUMENT) return { refused: `is larger than ${LARGEST_DOCUMENT} bytes` };
  try {
    const opened = openEnvelope(bytes);
    const detached = signature === undefined ? [] : [{ message: bytes, signature }];
    const read = await readOpened(opened.bytes, name);
    if ('refused' in read) return read;
    if (read.statements.length === 0)
      return {
        refused: `holds no VEX statement that can be used${read.problems.length > 0 ? `: ${read.problems[0]}` : ''}`,
      };
    return {
      ...read,
      author: read.statements[0]?.author ?? 'unknown',
      signatures: [...opened.signatures, ...detached],
      content: digestOf(opened.bytes),
      ...(opened.subjects === undefined ? {} : { subjects: opened.subjects }),
    };
  } catch (error) {
    if (error instanceof JsonError) return { refused: error.message.replace(/^(?:not|nested)/, 'is $&') };
    throw error;
  }
}

type Read = Pick<VexDocument, 'format' | 'statements' | 'problems'>;

async function readOpened(bytes: Buffer, name: string): Promise<Read | { readonly refused: string }> {
  const isLarge = bytes.byteLength > WHOLE || (bytes.byteLength > PARTS && bytes.includes('"csaf_version"'));
  if (isLarge) return collect('csaf', readLargeCsaf(bytes, name));
  const root = parseStrictJson(withoutMark(bytes));
  const read = readerOf(root);
  if (typeof read === 'string') return { refused: read };
  return collect(formatOf(root), read(root, name));
}

async function collect(
  format: VexFormat,
  entries: Iterable<VexStatement | string> | AsyncIterable<VexStatement | string>,
): Promise<Read | { readonly refused: string }> {
  const statements: VexStatement[] = [];
  const problems: string[] = [];
  let products = 0;
  for await (const entry of entries) {
    if (typeof entry === 'string') {
      if (problems.length < MOST_PROBLEMS) problems.push(entry);
      continue;
    }
    statements.push(entry);
    products += entry.products.length;
    if (statements.length > MOST_STATEMENTS || products > MOST_PRODUCTS)
      return {
        refused: `has more than ${MOST_STATEMENTS} statements, or ${MOST_PRODUCTS} products in them: divide it into several`,
      };
  }
  return { format, statements, problems };
}

function formatOf(root: unknown): VexFormat {
  if (textOf(root, '@context') !== undefined) return 'openvex';
  return textOf(root, 'bomFormat') === 'CycloneDX' ? 'cyclonedx' : 'csaf';
}

/** A byte order mark is passed over. */
function withoutMark(bytes: Buffer): Buffer {
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}
