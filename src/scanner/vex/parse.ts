import { messageOf } from '../../platform/errors.ts';
import { readerOf } from './format.ts';
import { asObject, member, textOf } from './json.ts';
import type { VexReading, VexStatement } from './types.ts';

/** Largest document that is read as a whole, in bytes. */
export const VEX_LIMIT = 64 * 1024 * 1024;
const MOST_STATEMENTS = 200_000;
const MOST_PROBLEMS = 50;
/** Envelopes within envelopes. */
const DEEPEST = 4;

/**
 * Reads a VEX document: OpenVEX, CSAF or CycloneDX (JSON), bare or as the predicate of an in-toto statement, also in a DSSE
 * envelope or Sigstore bundle. Signatures are not looked at. Never throws: what cannot be used is a problem. `document` is
 * how findings name it.
 */
export function parseVex(bytes: Uint8Array, document: string): VexReading {
  if (bytes.byteLength > VEX_LIMIT) return unreadable(document, `is larger than ${VEX_LIMIT} bytes`);
  let root: unknown;
  try {
    root = JSON.parse(
      Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
        .toString('utf8')
        .replace(/^\uFEFF/, ''),
    );
  } catch (error) {
    return unreadable(document, `is not JSON: ${messageOf(error)}`);
  }
  const opened = open(root, DEEPEST);
  const read = readerOf(opened);
  if (typeof read === 'string') return unreadable(document, read);
  const statements: VexStatement[] = [];
  const problems: string[] = [];
  for (const entry of read(opened, document)) {
    if (typeof entry !== 'string') statements.push(entry);
    else if (problems.length < MOST_PROBLEMS) problems.push(`${document}: ${entry}`);
    if (statements.length < MOST_STATEMENTS) continue;
    problems.push(`${document}: only its first ${MOST_STATEMENTS} statements are used`);
    break;
  }
  return { statements, problems };
}

function unreadable(document: string, why: string): VexReading {
  return { statements: [], problems: [`${document} ${why}`] };
}

/** What is inside envelopes (DSSE, Sigstore bundle) and attestations (in-toto, section Statement). */
function open(value: unknown, depth: number): unknown {
  const inner = innerOf(value);
  return inner === undefined || depth === 0 ? value : open(inner, depth - 1);
}

function innerOf(value: unknown): unknown {
  const bundled = asObject(member(value, 'dsseEnvelope'));
  if (bundled) return bundled;
  const payload = member(value, 'payload');
  if (typeof payload === 'string' && textOf(value, 'payloadType') !== undefined) return decodePayload(payload);
  if (!textOf(value, '_type')?.startsWith('https://in-toto.io/Statement')) return undefined;
  const predicate = member(value, 'predicate');
  // Some tools put the document one level deeper.
  return asObject(member(predicate, 'Data')) ?? predicate;
}

function decodePayload(payload: string): unknown {
  try {
    return JSON.parse(Buffer.from(payload, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
}
