import { asObject, member, textOf } from './json.ts';
import { parseCsaf } from './parse-csaf.ts';
import { parseCycloneDx } from './parse-cyclonedx.ts';
import { parseOpenVex } from './parse-openvex.ts';
import type { VexStatement } from './types.ts';

/** Gives the statements of a document, and a sentence for everything in it that cannot be used. */
export type Reader = (root: unknown, document: string) => Generator<VexStatement | string>;

/** The reader for a document, by what it says it is; else why there is none, in words that go on from its name. */
export function readerOf(root: unknown): Reader | string {
  if (textOf(root, '@context')?.startsWith('https://openvex.dev/ns')) return checked(parseOpenVex, ['statements']);
  if (textOf(root, 'bomFormat') === 'CycloneDX') return checked(parseCycloneDx, ['vulnerabilities']);
  const version = textOf(member(root, 'document'), 'csaf_version');
  if (version?.startsWith('2.')) return checked(parseCsaf, ['product_tree', 'vulnerabilities']);
  if (version !== undefined) return `is CSAF ${version.slice(0, 20)}, which is not read; CSAF 2 is`;
  return strangerOf(root);
}

/** Says first which members are missing that every statement rests on. */
function checked(read: Reader, members: readonly string[]): Reader {
  return function* (root, document) {
    const missing = members.filter((name) => typeof member(root, name) !== 'object');
    if (missing.length > 0) yield `it has no ${missing.join(' and no ')}, so it says nothing about any product`;
    yield* read(root, document);
  };
}

/** What a document is that does not say what it is: the missing word, where the rest looks like VEX. */
function strangerOf(root: unknown): string {
  const looksLike = (...names: readonly string[]): boolean => names.every((name) => member(root, name) !== undefined);
  if (asObject(member(root, 'document')) !== undefined || looksLike('product_tree'))
    return 'looks like CSAF, but has no document.csaf_version';
  if (looksLike('statements')) return 'looks like OpenVEX, but has no @context that begins with https://openvex.dev/ns';
  if (looksLike('vulnerabilities') || looksLike('specVersion'))
    return 'looks like CycloneDX, but has no "bomFormat": "CycloneDX"';
  return 'is neither OpenVEX nor CSAF nor CycloneDX';
}
