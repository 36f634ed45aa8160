import type { VexStatus } from '../../model/finding.ts';
import type { Digest } from '../../oci/digest.ts';
import { asText, listOf, member, textOf, timeOf, wrongTimeIn } from './json.ts';
import { digestFromHash, isNameless, productOf } from './product.ts';
import { parsePattern } from './purl-pattern.ts';
import type { VexProduct, VexStatement } from './types.ts';

const DEEPEST = 32;
const STATUSES: readonly (readonly [group: string, status: VexStatus])[] = [
  ['known_not_affected', 'not_affected'],
  ['known_affected', 'affected'],
  ['first_affected', 'affected'],
  ['last_affected', 'affected'],
  ['fixed', 'fixed'],
  ['first_fixed', 'fixed'],
  ['under_investigation', 'under_investigation'],
];

/** How a document identifies a product: package URL, digests, name. */
interface Identity {
  readonly identifiers: readonly string[];
  readonly digests: readonly Digest[];
}

/** The statements of a CSAF 2.0 document (section 4.5, profile VEX; security advisories say the same). */
export function* parseCsaf(root: unknown, document: string): Generator<VexStatement | string> {
  const products = createCsafProducts();
  products.addTree(member(root, 'product_tree'));
  const reader = createCsafReader(member(root, 'document'), products.all(), document);
  for (const vulnerability of listOf(root, 'vulnerabilities')) yield* reader.read(vulnerability);
  yield* reader.end();
}

/** Reads the vulnerabilities of one document one after the other. */
export interface CsafReader {
  read(vulnerability: unknown): Generator<VexStatement | string>;
  /** What can be said only when all were read. */
  end(): Generator<string>;
}

/** `head` is the member `document`. */
export function createCsafReader(
  head: unknown,
  products: ReadonlyMap<string, VexProduct>,
  document: string,
): CsafReader {
  const author = textOf(member(head, 'publisher'), 'name') ?? 'unknown';
  const tracking = member(head, 'tracking');
  const at = timeOf(tracking, 'current_release_date');
  const wrong = wrongTimeIn(tracking, 'current_release_date');
  let nameless = 0;

  return {
    *read(vulnerability) {
      if (wrong !== undefined) {
        yield wrong;
        return;
      }
      const vulnerabilities = idsOf(vulnerability);
      if (vulnerabilities.length === 0) {
        yield 'a vulnerability has no id';
        return;
      }
      const reasons = justificationsOf(vulnerability);
      for (const [group, status] of STATUSES) {
        const ids = listOf(member(vulnerability, 'product_status'), group).flatMap((id) => asText(id) ?? []);
        // What one group says for one reason is one statement.
        for (const [justification, part] of Map.groupBy(ids, (id) => reasons.get(id))) {
          const known = part.flatMap((id) => products.get(id) ?? []);
          const named = known.filter((product) => !isNameless(product));
          nameless += part.length - named.length;
          if (named.length === 0) continue;
          yield {
            vulnerabilities,
            products: named,
            status,
            ...(justification === undefined ? {} : { justification }),
            author,
            ...(at === undefined ? {} : { at }),
            document,
          };
        }
      }
    },
    *end() {
      if (nameless > 0)
        yield `${nameless} products have neither package URL nor digest, so no image can be compared with them`;
    },
  };
}

function idsOf(vulnerability: unknown): readonly string[] {
  const cve = textOf(vulnerability, 'cve');
  const others = listOf(vulnerability, 'ids').flatMap((id) => textOf(id, 'text') ?? []);
  // Numbers in somebody's tracker are no ids of vulnerabilities.
  return [...(cve === undefined ? [] : [cve]), ...others.filter((id) => /^[A-Za-z]{2,}-/.test(id))];
}

/** Why products are not affected, by product: a flag's label, else the text of an impact. */
function justificationsOf(vulnerability: unknown): ReadonlyMap<string, string> {
  const reasons = new Map<string, string>();
  const note = (entry: unknown, reason: string | undefined): void => {
    for (const id of listOf(entry, 'product_ids')) {
      const product = asText(id);
      if (product !== undefined && reason !== undefined && !reasons.has(product)) reasons.set(product, reason);
    }
  };
  for (const flag of listOf(vulnerability, 'flags')) note(flag, textOf(flag, 'label'));
  for (const threat of listOf(vulnerability, 'threats'))
    if (textOf(threat, 'category') === 'impact') note(threat, textOf(threat, 'details'));
  return reasons;
}

/** The products of a document by id, however its tree is handed over: as a whole or in parts. */
export interface CsafProducts {
  addTree(tree: unknown): void;
  /** A product of `full_product_names` or of a branch. */
  add(product: unknown): void;
  addBranch(branch: unknown): void;
  /** Call when all products are there. */
  addRelationship(relationship: unknown): void;
  all(): ReadonlyMap<string, VexProduct>;
}

export function createCsafProducts(): CsafProducts {
  const identities = new Map<string, Identity>();
  const components = new Map<string, VexProduct>();

  function addBranch(root: unknown): void {
    const open: (readonly [branch: unknown, depth: number])[] = [[root, 1]];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const [branch, depth] = next;
      addIdentity(identities, member(branch, 'product'));
      if (depth < DEEPEST) for (const child of listOf(branch, 'branches')) open.push([child, depth + 1]);
    }
  }

  function addRelationship(relationship: unknown): void {
    const id = textOf(member(relationship, 'full_product_name'), 'product_id');
    const component = identities.get(textOf(relationship, 'product_reference') ?? '');
    const whole = identities.get(textOf(relationship, 'relates_to_product_reference') ?? '');
    const purls = component?.identifiers.flatMap((text) => parsePattern(text) ?? []) ?? [];
    // A component that cannot be compared must not make a statement about the whole.
    if (id !== undefined && whole && purls.length > 0)
      components.set(id, productOf(whole.identifiers, whole.digests, purls));
  }

  return {
    addTree(tree) {
      for (const product of listOf(tree, 'full_product_names')) addIdentity(identities, product);
      for (const branch of listOf(tree, 'branches')) addBranch(branch);
      for (const relationship of listOf(tree, 'relationships')) addRelationship(relationship);
    },
    add: (product) => addIdentity(identities, product),
    addBranch,
    addRelationship,
    all() {
      const products = new Map<string, VexProduct>();
      for (const [id, { identifiers, digests }] of identities) products.set(id, productOf(identifiers, digests, []));
      for (const [id, product] of components) products.set(id, product);
      return products;
    },
  };
}

function addIdentity(identities: Map<string, Identity>, product: unknown): void {
  const id = textOf(product, 'product_id');
  if (id === undefined) return;
  const helper = member(product, 'product_identification_helper');
  const purls = [textOf(helper, 'purl'), ...listOf(helper, 'purls').map(asText)];
  const hashes = listOf(helper, 'hashes').flatMap((entry) => listOf(entry, 'file_hashes'));
  identities.set(id, {
    identifiers: purls.filter((text) => text !== undefined),
    digests: hashes.flatMap((hash) => digestFromHash(textOf(hash, 'algorithm'), textOf(hash, 'value'))),
  });
}
