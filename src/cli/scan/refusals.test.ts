import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSbomTarget } from './sbom-target.ts';
import { vexOfFiles } from './vex.ts';

const folder = mkdtempSync(join(tmpdir(), 'breakwater-refusals-'));
afterAll(() => rmSync(folder, { recursive: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const xml = (inner: string) => `<bom xmlns="http://cyclonedx.org/schema/bom/1.6">${inner}</bom>`;

describe('a bill of materials that is refused is named, with the reason', () => {
  it.each([
    ['doctype.xml', `<!DOCTYPE bom>${xml('')}`, 'it declares a document type (DOCTYPE)'],
    ['deep.xml', xml('<a>'.repeat(300)), 'its elements are nested deeper than 200'],
    ['broken.xml', xml('<a'), 'it is no well-formed XML'],
    ['pom.xml', '<project/>', 'its first element is <project>'],
    ['twice.json', '{"bomFormat":"CycloneDX","components":[],"components":[]}', 'it has the member "components" twice'],
    ['cut.json', '{"bomFormat":"CycloneDX","components":[', 'its end is missing'],
    ['proto.json', '{"__proto__":{"bomFormat":"CycloneDX"}}', 'it is JSON with neither bomFormat nor spdxVersion'],
    ['three.json', '{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld"}', 'it is SPDX 3'],
  ])('%s', async (name, text, reason) => {
    const path = write(name, text);
    await expect(readSbomTarget(path)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(`${path} cannot be read as a bill of materials: `),
    });
    await expect(readSbomTarget(path)).rejects.toThrow(reason);
  });
});

it('a VEX file that gives no statement is named, with what it lacks', async () => {
  const path = write('csaf.json', '{"document":{"category":"csaf_vex"},"product_tree":{},"vulnerabilities":[]}');
  await expect(vexOfFiles({ note: () => undefined }, [path])).rejects.toThrow(
    `${path} looks like CSAF, but has no document.csaf_version`,
  );
});
