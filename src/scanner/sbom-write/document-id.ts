import { createHash } from 'node:crypto';
import { canonicalJson } from '../../oci/canonical.ts';

/** Name space of the documents of this program (RFC 9562, section 6.5). */
const NAMESPACE = Buffer.from('4e0f5a0c6d1b5b7f9a3c2d8e7f6a1b90', 'hex');

/** `urn:uuid:…` of a document (RFC 9562, version 5): equal content, equal name. Hand in the content without its time. */
export function documentUrn(content: unknown): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(canonicalJson(content)).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x50;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  const parts = [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)];
  return `urn:uuid:${parts.join('-')}`;
}
