import type { VexStatus } from '../../model/finding.ts';
import { asText, listOf, member, textOf, timeOf, wrongTimeIn } from './json.ts';
import { digestsOf, productOf } from './product.ts';
import { type PurlPattern, parsePattern } from './purl-pattern.ts';
import type { VexProduct, VexStatement } from './types.ts';

const STATUSES: ReadonlySet<string> = new Set(['not_affected', 'affected', 'fixed', 'under_investigation']);

/** Members that say when, the one that counts first. */
const TIMES = ['last_updated', 'timestamp'] as const;

/** The statements of an OpenVEX document (specification 0.2.0, and 0.0.1 with its flat subcomponents). */
export function* parseOpenVex(root: unknown, document: string): Generator<VexStatement | string> {
  const author = textOf(root, 'author') ?? 'unknown';
  for (const [number, entry] of listOf(root, 'statements').entries()) {
    const status = textOf(entry, 'status') ?? '';
    const vulnerabilities = idsOf(entry);
    if (!STATUSES.has(status) || vulnerabilities.length === 0) {
      yield `statement ${number + 1} names no vulnerability or no known status`;
      continue;
    }
    const wrong = wrongTimeIn(entry, ...TIMES) ?? wrongTimeIn(root, ...TIMES);
    if (wrong !== undefined) {
      yield `statement ${number + 1}: ${wrong}`;
      continue;
    }
    const justification = textOf(entry, 'justification') ?? textOf(entry, 'impact_statement');
    const at = timeOf(entry, ...TIMES) ?? timeOf(root, ...TIMES);
    yield {
      vulnerabilities,
      products: productsOf(entry),
      status: status as VexStatus,
      ...(justification === undefined ? {} : { justification }),
      author,
      ...(at === undefined ? {} : { at }),
      document,
    };
  }
}

function idsOf(entry: unknown): readonly string[] {
  const vulnerability = member(entry, 'vulnerability');
  const name = asText(vulnerability) ?? textOf(vulnerability, 'name') ?? lastPart(textOf(vulnerability, '@id'));
  const aliases = listOf(vulnerability, 'aliases').flatMap((alias) => asText(alias) ?? []);
  return [...new Set([...(name === undefined ? [] : [name]), ...aliases])];
}

/** The id at the end of an address, `https://nvd.nist.gov/vuln/detail/CVE-2024-1`. */
function lastPart(address: string | undefined): string | undefined {
  return address?.slice(address.lastIndexOf('/') + 1) || undefined;
}

function productsOf(entry: unknown): readonly VexProduct[] {
  const shared = componentsOf(entry);
  return listOf(entry, 'products').map((product) =>
    productOf(identifiersOf(product), digestsOf(member(product, 'hashes')), [...shared, ...componentsOf(product)]),
  );
}

function componentsOf(value: unknown): readonly PurlPattern[] {
  return listOf(value, 'subcomponents').flatMap((component) =>
    identifiersOf(component).flatMap((text) => parsePattern(text) ?? []),
  );
}

/** An IRI alone, or an object with one and more identifiers. */
function identifiersOf(value: unknown): readonly string[] {
  const id = asText(value) ?? textOf(value, '@id');
  const purl = textOf(member(value, 'identifiers'), 'purl');
  return [...new Set([id, purl].filter((text) => text !== undefined))];
}
