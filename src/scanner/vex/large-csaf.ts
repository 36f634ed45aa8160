import { JsonError, parseStrictJson } from '../../oci/strict-json.ts';
import { breathe } from '../../platform/breathe.ts';
import { bytesOfMemory, type DocumentBytes } from '../sbom-read/document-bytes.ts';
import { isClosed, type JsonPiece, jsonElements, jsonMembers } from '../sbom-read/json-pieces.ts';
import { member, textOf } from './json.ts';
import { type CsafProducts, createCsafProducts, createCsafReader } from './parse-csaf.ts';
import type { VexStatement } from './types.ts';

/** Parts parsed at once; what is larger is gone into. */
const LARGEST_PIECE = 4 * 1024 * 1024;
const DEEPEST = 32;
/** Bytes gone through between two turns of others. */
const TURN = 1024 * 1024;
const READ: ReadonlySet<string> = new Set(['document', 'product_tree', 'vulnerabilities']);
const OF_TREE: ReadonlySet<string> = new Set(['full_product_names', 'branches', 'relationships']);

type Members = ReadonlyMap<string, JsonPiece>;

/**
 * The statements of a CSAF document of any size, part after part: besides its bytes only its products, and one vulnerability at a time,
 * are in memory. Parts are read strictly. Gives undefined for another document; throws `JsonError` for a damaged one.
 */
export async function* readLargeCsaf(bytes: Buffer, document: string): AsyncGenerator<VexStatement | string> {
  const view = bytesOfMemory(bytes);
  const members = membersOf(view, { start: 0, end: view.length }, READ);
  const head = valueOf(view, members.get('document'));
  if (textOf(head, 'csaf_version')?.startsWith('2.') !== true)
    throw new JsonError('json_invalid', 'is larger than 16 MB and no CSAF 2 document; only those may be that large');
  if (!isClosed(view)) throw new JsonError('json_invalid', 'is damaged: its end is missing, or more follows it');
  const products = createCsafProducts();
  const turns = createTurns();
  const tree = members.get('product_tree');
  if (tree) await addTree(view, tree, products, turns);
  const reader = createCsafReader(head, products.all(), document);
  const vulnerabilities = members.get('vulnerabilities');
  if (vulnerabilities)
    for (const piece of jsonElements(view, vulnerabilities)) {
      await turns.after(piece);
      if (piece.end - piece.start > LARGEST_PIECE * 4) yield 'a vulnerability is too large to be read';
      else yield* reader.read(valueOf(view, piece));
    }
  yield* reader.end();
}

async function addTree(view: DocumentBytes, tree: JsonPiece, products: CsafProducts, turns: Turns): Promise<void> {
  const parts = membersOf(view, tree, OF_TREE);
  for (const piece of elementsOf(view, parts.get('full_product_names'))) {
    await turns.after(piece);
    products.add(valueOf(view, piece));
  }
  for (const piece of elementsOf(view, parts.get('branches'))) await addBranch(view, piece, products, turns, 1);
  for (const piece of elementsOf(view, parts.get('relationships'))) {
    await turns.after(piece);
    products.addRelationship(valueOf(view, piece));
  }
}

async function addBranch(
  view: DocumentBytes,
  piece: JsonPiece,
  products: CsafProducts,
  turns: Turns,
  depth: number,
): Promise<void> {
  if (piece.end - piece.start <= LARGEST_PIECE) {
    await turns.after(piece);
    return products.addBranch(valueOf(view, piece));
  }
  if (depth > DEEPEST) throw new JsonError('json_invalid', `its product tree is more than ${DEEPEST} levels deep`);
  const members = membersOf(view, piece, new Set(['product', 'branches']));
  products.add(valueOf(view, members.get('product')));
  for (const child of elementsOf(view, members.get('branches')))
    await addBranch(view, child, products, turns, depth + 1);
}

function membersOf(view: DocumentBytes, piece: JsonPiece, wanted: ReadonlySet<string>): Members {
  const members = new Map<string, JsonPiece>();
  const names = new Set<string>();
  for (const [name, value] of jsonMembers(view, piece)) {
    if (names.has(name)) throw new JsonError('json_invalid', `has the member "${name.slice(0, 100)}" twice`);
    names.add(name);
    if (wanted.has(name)) members.set(name, value);
  }
  return members;
}

function elementsOf(view: DocumentBytes, piece: JsonPiece | undefined): Iterable<JsonPiece> {
  return piece ? jsonElements(view, piece) : [];
}

function valueOf(view: DocumentBytes, piece: JsonPiece | undefined): unknown {
  if (piece === undefined) return undefined;
  return member(
    parseStrictJson(Buffer.concat([Buffer.from('{"v":'), view.slice(piece.start, piece.end), Buffer.from('}')])),
    'v',
  );
}

interface Turns {
  after(piece: JsonPiece): Promise<void>;
}

/** Lets others have their turn every now and then. */
function createTurns(): Turns {
  let done = 0;
  return {
    async after({ start, end }) {
      done += end - start;
      if (done < TURN) return;
      done = 0;
      await breathe();
    },
  };
}
