import { isUtf8 } from 'node:buffer';

/**
 * A name of an archive as text. Bytes that are not UTF-8 become lone surrogates (U+DC80 to U+DCFF), so that two different
 * names never become one: a whiteout of one must not take the other away.
 */
export function decodeName(bytes: Buffer): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte < 0x80 ? byte : 0xdc00 + byte);
  return text;
}
