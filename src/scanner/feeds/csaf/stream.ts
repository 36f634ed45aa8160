import { pipeline, Readable } from 'node:stream';
import { parser } from 'stream-json';
import { messageOf } from '../../../platform/errors.ts';
import type { ByteSource } from '../../../platform/streams.ts';
import type { FeedRecord } from '../advisory.ts';
import { FeedError } from '../errors.ts';
import { createDocumentParts, type DocumentParts } from './document.ts';
import { rejected } from './parse.ts';

/** Bytes without one token coming out of them: a text longer than any real one. */
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
const MAX_DEPTH = 64;

/**
 * The facts of a CSAF document of any size, token by token: of the text only the parts that count are put together, one at a
 * time. Its product tree has to come before its vulnerabilities. A document that breaks off or is no JSON gives a `problem`.
 */
export async function streamCsafDocument(source: ByteSource, name: string): Promise<FeedRecord> {
  const parts = createDocumentParts(name);
  const walker = createWalker(parts);
  let pending = 0;
  async function* limit(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      pending += chunk.byteLength;
      if (pending > MAX_PENDING_BYTES) throw new FeedError('malformed', `a text has over ${MAX_PENDING_BYTES} bytes`);
      yield chunk;
    }
  }
  const tokens = parser.asStream({ packValues: true, streamValues: false });
  pipeline(Readable.from(limit(), { objectMode: false }), tokens, () => undefined);
  try {
    for await (const token of tokens as AsyncIterable<Token>) {
      pending = 0;
      walker(token);
    }
  } catch (error) {
    return rejected(name, messageOf(error));
  }
  return parts.record();
}

type Step = string | number;
interface Token {
  readonly name: string;
  readonly value?: unknown;
}
/** A container that is being put together; `key` is where the next value of an object goes. */
type Open = { readonly list: unknown[] } | { readonly fields: Map<string, unknown>; key: string };

/** Follows the tokens with the path they are at; puts together the values that `partAt` wants. */
function createWalker(parts: DocumentParts): (token: Token) => void {
  const path: Step[] = [];
  /** The value being put together, its open containers, and who takes it. */
  let building: { readonly stack: Open[]; readonly take: (value: unknown) => void } | undefined;
  let tracking: unknown;

  function begin(): void {
    const last = path.length - 1;
    const step = path[last];
    if (typeof step === 'number') path[last] = step + 1;
    if (path.length === 2 && path[0] === 'vulnerabilities') parts.startVulnerability();
  }

  function end(): void {
    if (path.length === 2 && path[0] === 'vulnerabilities') parts.endVulnerability();
  }

  function open(isObject: boolean): void {
    if ((building?.stack.length ?? path.length) > MAX_DEPTH) throw new FeedError('malformed', 'nested too deeply');
    const container = isObject ? { fields: new Map<string, unknown>(), key: '' } : { list: [] };
    if (building !== undefined) {
      building.stack.push(container);
      return;
    }
    begin();
    const take = isObject ? objectAt(path, parts) : undefined;
    if (take === undefined) path.push(isObject ? '' : -1);
    else building = { stack: [container], take };
  }

  function close(): void {
    if (building === undefined) {
      path.pop();
      end();
      return;
    }
    const { stack, take } = building;
    const done = stack.pop();
    const value = done === undefined || 'list' in done ? done?.list : Object.fromEntries(done.fields);
    if (stack.length > 0) put(value);
    else {
      building = undefined;
      take(value);
    }
  }

  function put(value: unknown): void {
    const top = building?.stack.at(-1);
    if (top === undefined) return;
    if ('list' in top) top.list.push(value);
    else top.fields.set(top.key, value);
  }

  function named(key: string): void {
    const top = building?.stack.at(-1);
    if (top === undefined) path[path.length - 1] = key;
    else if ('fields' in top) top.key = key;
  }

  function scalar(value: unknown): void {
    if (building !== undefined) return put(value);
    begin();
    const [root, first, second, third] = path;
    if (root === 'document' && first === 'tracking' && path.length === 3) {
      if (second === 'id') tracking = value;
      parts.tracking(tracking, second === 'current_release_date' ? value : undefined);
    } else if (root === 'vulnerabilities' && path.length === 3) {
      if (second === 'cve') parts.cve(value);
      else if (second === 'release_date') parts.published(value);
    } else if (root === 'vulnerabilities' && second === 'product_status' && path.length === 5) {
      parts.status(String(third), value);
    }
    end();
  }

  return ({ name, value }) => {
    switch (name) {
      case 'startObject':
        return open(true);
      case 'startArray':
        return open(false);
      case 'endObject':
      case 'endArray':
        return close();
      case 'keyValue':
        return named(String(value));
      case 'stringValue':
        return scalar(value);
      case 'numberValue':
        return scalar(Number(value));
      case 'nullValue':
      case 'trueValue':
      case 'falseValue':
        return scalar(value);
      default:
        return undefined;
    }
  };
}

/** Who takes the object at a path; undefined when it is to be looked into. */
function objectAt(path: readonly Step[], parts: DocumentParts): ((value: unknown) => void) | undefined {
  const [root, first, second] = path;
  if (root === 'product_tree') {
    if (first === 'branches' && path.at(-1) === 'product') return parts.product;
    if (first === 'full_product_names' && path.length === 3) return parts.product;
    if (first === 'relationships' && path.length === 3) return parts.relationship;
    return undefined;
  }
  if (root !== 'vulnerabilities' || path.length !== 4) return undefined;
  if (second === 'remediations') return parts.remediation;
  if (second === 'threats') return parts.threat;
  return second === 'scores' ? parts.score : undefined;
}
