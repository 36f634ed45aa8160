import { readXmlDocument } from './cyclonedx-xml.ts';
import { readJsonDocument } from './json-document.ts';
import { readTagValue } from './spdx-tag-value.ts';
import type { Sbom } from './types.ts';

const LARGEST_SBOM = 256 * 1024 * 1024;

/** Bytes of a file that tell a bill of materials. */
const HEAD = 64 * 1024;
const TAG_VALUE = /^(?:#[^\n]*\n|\s)*SPDXVersion:\s*SPDX-2\./;

/**
 * Reads a bill of materials: SPDX 2.2 and 2.3 (JSON and tag-value), CycloneDX 1.2 to 1.7 (JSON and XML), told by content.
 * Undefined when it is none of them. Never throws; what is larger than 256 MB is a problem and nothing else.
 */
export function readSbom(bytes: Buffer): Sbom | undefined {
  const format = formatOf(bytes);
  if (format === undefined) return undefined;
  if (bytes.length > LARGEST_SBOM)
    return { format: 'spdx', packages: [], problems: [`it has ${bytes.length} bytes, more than is read`] };
  if (format === 'tag-value') return readTagValue(bytes);
  return format === 'json' ? readJsonDocument(bytes) : readXmlDocument(bytes);
}

function formatOf(bytes: Buffer): 'json' | 'tag-value' | 'xml' | undefined {
  const head = bytes.toString('utf8', 0, HEAD).replace(/^\ufeff/, '');
  const first = head.trimStart()[0];
  if (first === '{') return 'json';
  if (first === '<') return 'xml';
  return TAG_VALUE.test(head) ? 'tag-value' : undefined;
}
