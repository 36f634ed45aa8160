import type { VexStatus } from '../../model/finding.ts';
import { asText, listOf, member, textOf, timeOf, wrongTimeIn } from './json.ts';
import { digestFromHash, isImageType, productOf } from './product.ts';
import { parsePattern } from './purl-pattern.ts';
import type { VexProduct, VexStatement } from './types.ts';

const DEEPEST = 16;
/** States of an analysis (CycloneDX, impactAnalysisState). */
const STATES: ReadonlyMap<string, VexStatus> = new Map<string, VexStatus>([
  ['exploitable', 'affected'],
  ['false_positive', 'not_affected'],
  ['in_triage', 'under_investigation'],
  ['not_affected', 'not_affected'],
  ['resolved', 'fixed'],
  ['resolved_with_pedigree', 'fixed'],
]);

/** Members of an analysis that say when, the one that counts first. */
const TIMES = ['lastUpdated', 'firstIssued'] as const;

/** The analyses in a CycloneDX document (1.4 and later); vulnerabilities without one say nothing. */
export function* parseCycloneDx(root: unknown, document: string): Generator<VexStatement | string> {
  const metadata = member(root, 'metadata');
  const image = imageOf(member(metadata, 'component'));
  const purls = purlsByReference(root);
  const author = authorOf(metadata);
  for (const vulnerability of listOf(root, 'vulnerabilities')) {
    const analysis = member(vulnerability, 'analysis');
    const status = STATES.get(textOf(analysis, 'state') ?? '');
    const id = textOf(vulnerability, 'id');
    if (status === undefined || id === undefined) continue;
    const references = listOf(vulnerability, 'references').flatMap((entry) => textOf(entry, 'id') ?? []);
    const products: VexProduct[] = [];
    for (const affected of listOf(vulnerability, 'affects')) {
      const product = affectedProduct(affected, { image, purls, isRoot: isRootOf(metadata) });
      if (typeof product === 'string') yield `${id}: ${product}`;
      else products.push(...product);
    }
    const justification = textOf(analysis, 'justification') ?? textOf(analysis, 'detail');
    if (products.length === 0) continue;
    const wrong = wrongTimeIn(analysis, ...TIMES) ?? wrongTimeIn(metadata, 'timestamp');
    if (wrong !== undefined) {
      yield `${id}: ${wrong}`;
      continue;
    }
    const at = timeOf(analysis, ...TIMES) ?? timeOf(metadata, 'timestamp');
    yield {
      vulnerabilities: [...new Set([id, ...references])],
      products,
      status,
      ...(justification === undefined ? {} : { justification }),
      author,
      ...(at === undefined ? {} : { at }),
      document,
    };
  }
}

interface Parts {
  /** The image the document is about, when it is about one. */
  readonly image: VexProduct | undefined;
  readonly purls: ReadonlyMap<string, string>;
  readonly isRoot: (reference: string) => boolean;
}

/** What an entry of `affects` means: a component, within the image of the document if there is one; or why it means nothing. */
function affectedProduct(affected: unknown, { image, purls, isRoot }: Parts): readonly VexProduct[] | string {
  const link = textOf(affected, 'ref') ?? '';
  const reference = link.startsWith('urn:cdx:') ? unescape(link.slice(link.indexOf('#') + 1)) : link;
  if (isRoot(reference) && image) return [image];
  const purl = purls.get(reference) ?? (reference.startsWith('pkg:') ? reference : undefined);
  const pattern = purl === undefined ? undefined : parsePattern(purl);
  if (pattern === undefined) return `${reference || 'an affected component'} has no package URL`;
  const versions = listOf(affected, 'versions');
  const listed = versions.flatMap((entry) => textOf(entry, 'version') ?? []);
  if (listed.length < versions.length) return 'ranges of versions are not understood';
  const patterns = listed.length === 0 ? [pattern] : listed.map((version) => ({ ...pattern, version }));
  return image ? [{ ...image, components: patterns }] : [{ digests: [], purls: patterns, names: [], components: [] }];
}

/** The document's subject, when it is an image: by its URL, or a container with a name or digests. */
function imageOf(component: unknown): VexProduct | undefined {
  const purl = textOf(component, 'purl');
  const type = purl === undefined ? undefined : parsePattern(purl)?.type;
  const digests = listOf(component, 'hashes').flatMap((hash) =>
    digestFromHash(textOf(hash, 'alg'), textOf(hash, 'content')),
  );
  if (textOf(component, 'type') !== 'container' && !isImageType(type ?? '')) return undefined;
  const name = purl === undefined ? textOf(component, 'name') : undefined;
  return productOf(
    [purl, name].filter((text) => text !== undefined),
    digests,
    [],
  );
}

function isRootOf(metadata: unknown): (reference: string) => boolean {
  const root = textOf(member(metadata, 'component'), 'bom-ref');
  return (reference) => root !== undefined && reference === root;
}

function purlsByReference(root: unknown): ReadonlyMap<string, string> {
  const purls = new Map<string, string>();
  const open: (readonly [component: unknown, depth: number])[] = [
    [member(member(root, 'metadata'), 'component'), 1],
    ...listOf(root, 'components').map((component) => [component, 1] as const),
  ];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [component, depth] = next;
    const [reference, purl] = [textOf(component, 'bom-ref'), textOf(component, 'purl')];
    if (reference !== undefined && purl !== undefined) purls.set(reference, purl);
    if (depth < DEEPEST) for (const child of listOf(component, 'components')) open.push([child, depth + 1]);
  }
  return purls;
}

function authorOf(metadata: unknown): string {
  const authors = listOf(metadata, 'authors').flatMap((entry) => textOf(entry, 'name') ?? textOf(entry, 'email') ?? []);
  const companies = ['manufacturer', 'manufacture', 'supplier'].flatMap(
    (role) => textOf(member(metadata, role), 'name') ?? [],
  );
  return authors[0] ?? companies[0] ?? asText(textOf(member(metadata, 'component'), 'publisher')) ?? 'unknown';
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
