import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { member } from './json.ts';
import { readLargeCsaf } from './large-csaf.ts';
import { parseCsaf } from './parse-csaf.ts';
import { readVexDocument } from './read-document.ts';
import type { VexStatement } from './types.ts';

const openVex = (over: object = {}): object => ({
  '@context': 'https://openvex.dev/ns/v0.2.0',
  author: 'Acme',
  timestamp: '2026-01-01T00:00:00Z',
  statements: [{ vulnerability: 'CVE-2026-1', products: ['pkg:npm/a'], status: 'not_affected' }],
  ...over,
});

function product(id: string) {
  return { product_id: id, name: id, product_identification_helper: { purl: `pkg:rpm/acme/${id}@1` } };
}

/** A CSAF document with products in branches of any depth. */
const csaf = fc
  .record({
    depth: fc.integer({ min: 1, max: 12 }),
    names: fc.uniqueArray(fc.stringMatching(/^[a-z]{1,6}$/), { minLength: 1, maxLength: 6 }),
    padding: fc.nat(3000),
  })
  .map(({ depth, names, padding }) => {
    let branches: object[] = names.map((name) => ({ category: 'product_version', name, product: product(name) }));
    for (let level = 0; level < depth; level += 1)
      branches = [{ category: 'vendor', name: 'x'.repeat(padding), branches }];
    return {
      document: {
        csaf_version: '2.0',
        publisher: { name: 'Acme' },
        tracking: { current_release_date: '2026-01-01T00:00:00Z' },
      },
      product_tree: {
        branches,
        full_product_names: [product('whole')],
        relationships: names.map((name) => ({
          category: 'default_component_of',
          full_product_name: { product_id: `whole:${name}`, name },
          product_reference: name,
          relates_to_product_reference: 'whole',
        })),
      },
      vulnerabilities: [
        { cve: 'CVE-2026-1', product_status: { known_not_affected: names, known_affected: ['whole:x', 'nobody'] } },
        { cve: 'CVE-2026-2', product_status: { fixed: names.map((name) => `whole:${name}`) } },
        { title: 'no id' },
      ],
    };
  });

async function inParts(document: object): Promise<readonly (VexStatement | string)[]> {
  const entries: (VexStatement | string)[] = [];
  for await (const entry of readLargeCsaf(Buffer.from(JSON.stringify(document)), 'f')) entries.push(entry);
  return entries;
}

describe('documents a server takes', () => {
  it('are read in parts as they are as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(csaf, async (document) => {
        expect(await inParts(document)).toEqual([...parseCsaf(document, 'f')]);
      }),
    );
  });

  it('of 100 MB are read, with little more in memory than their bytes', async () => {
    const names = Array.from({ length: 1000 }, (_, at) => `p${at}`);
    const filler = 'x'.repeat(1000);
    const head = {
      document: { csaf_version: '2.0', publisher: { name: 'Acme' } },
      product_tree: { full_product_names: names.map(product) },
    };
    const vulnerability = (at: number) =>
      JSON.stringify({
        cve: `CVE-2026-${10_000 + at}`,
        notes: Array.from({ length: 20 }, () => ({ category: 'other', text: filler })),
        product_status: { known_not_affected: names.slice(at % 900, (at % 900) + 50) },
      });
    const count = 4600;
    const text = `${JSON.stringify(head).slice(0, -1)},"vulnerabilities":[`;
    const bytes = Buffer.concat([
      Buffer.from(text),
      ...Array.from({ length: count }, (_, at) => Buffer.from(`${at === 0 ? '' : ','}${vulnerability(at)}`)),
      Buffer.from(']}'),
    ]);
    expect(bytes.length).toBeGreaterThan(95e6);
    globalThis.gc?.();
    const before = process.memoryUsage().heapUsed;
    const read = await readVexDocument(bytes, 'f');
    const after = process.memoryUsage().heapUsed;
    expect(member(read, 'statements')).toHaveLength(count);
    expect(after - before).toBeLessThan(400e6);
  });

  it.each([
    ['no JSON', 'what', 'is not JSON in UTF-8'],
    [
      'a member twice',
      '{"@context":"https://openvex.dev/ns","statements":[],"statements":[]}',
      'has the member "statements" twice',
    ],
    ['10,000 levels', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'is nested more than 64 levels deep'],
    [
      'no statement that can be used',
      JSON.stringify(openVex({ statements: [{}] })),
      'holds no VEX statement that can be used',
    ],
    ['another document', '{"spdxVersion":"SPDX-2.3"}', 'is neither OpenVEX nor CSAF nor CycloneDX'],
    [
      'more statements than are kept',
      JSON.stringify(
        openVex({
          statements: Array.from({ length: 50_001 }, () => ({
            vulnerability: 'C-1',
            status: 'fixed',
            products: ['a'],
          })),
        }),
      ),
      'has more than 50000 statements',
    ],
  ])('are refused with %s', async (_, text, why) => {
    expect(await readVexDocument(Buffer.from(text), 'f')).toEqual({ refused: expect.stringContaining(why) });
  });

  it.each([
    ['is damaged', (text: string) => text.slice(0, -9)],
    ['twice', (text: string) => text.replace('{', '{"document":{"csaf_version":"2.0"},')],
    [
      'twice',
      (text: string) =>
        text.replace('"vulnerabilities":[', '"vulnerabilities":[{"cve":"CVE-2026-1","cve":"CVE-2026-2"},'),
    ],
    [
      'nested',
      (text: string) =>
        text.replace('"vulnerabilities":[', `"vulnerabilities":[${'['.repeat(10_000)}${']'.repeat(10_000)},`),
    ],
  ])('are refused when a large one %s', async (why, damage) => {
    const large = {
      document: { csaf_version: '2.0', notes: Array.from({ length: 2000 }, () => 'x'.repeat(1000)) },
      product_tree: { full_product_names: [product('a')] },
      vulnerabilities: [{ cve: 'CVE-2026-1', product_status: { fixed: ['a'] } }],
    };
    const text = JSON.stringify(large);
    expect(member(await readVexDocument(Buffer.from(text), 'f'), 'statements')).toHaveLength(1);
    expect(await readVexDocument(Buffer.from(damage(text)), 'f')).toEqual({ refused: expect.stringContaining(why) });
  });
});
