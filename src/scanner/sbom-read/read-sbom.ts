import { readXmlDocument } from './cyclonedx-xml.ts';
import { bytesOfFile, bytesOfMemory, type DocumentBytes } from './document-bytes.ts';
import { readJsonDocument } from './json-document.ts';
import { readTagValue } from './spdx-tag-value.ts';
import type { RefusedSbom, Sbom } from './types.ts';

const LARGEST_SBOM = 256 * 1024 * 1024;

/** Bytes of a file that tell a bill of materials. */
const HEAD = 64 * 1024;
const TAG_VALUE = /^(?:#[^\n]*\n|\s)*SPDXVersion:\s*SPDX-2\./;
const KNOWN = 'SPDX 2.2 and 2.3 (JSON, tag-value) and CycloneDX 1.2 to 1.7 (JSON, XML) are read';

/**
 * Reads a bill of materials: SPDX 2.2 and 2.3 (JSON and tag-value), CycloneDX 1.2 to 1.7 (JSON and XML), told by content.
 * Never throws; what is none, is larger than 256 MB or means different things to different readers is refused, with why.
 */
export function readSbom(bytes: Buffer): Sbom | RefusedSbom {
  return readDocument(bytesOfMemory(bytes));
}

/** `readSbom` for an open file, of which only a window is in memory. Throws what the system says when it cannot be read. */
export function readSbomFile(fd: number): Sbom | RefusedSbom {
  return readDocument(bytesOfFile(fd));
}

function readDocument(bytes: DocumentBytes): Sbom | RefusedSbom {
  if (bytes.length > LARGEST_SBOM) return { refused: `it has ${bytes.length} bytes; at most ${LARGEST_SBOM} are read` };
  switch (formatOf(bytes)) {
    case 'json':
      return readJsonDocument(bytes);
    case 'xml':
      return readXmlDocument(bytes);
    case 'tag-value':
      return readTagValue(bytes);
    case undefined:
      return { refused: `it is neither JSON nor XML nor tag-value; ${KNOWN}` };
  }
}

function formatOf(bytes: DocumentBytes): 'json' | 'tag-value' | 'xml' | undefined {
  const head = bytes
    .slice(0, HEAD)
    .toString('utf8')
    .replace(/^\ufeff/, '');
  const first = head.trimStart()[0];
  if (first === '{') return 'json';
  if (first === '<') return 'xml';
  return TAG_VALUE.test(head) ? 'tag-value' : undefined;
}
