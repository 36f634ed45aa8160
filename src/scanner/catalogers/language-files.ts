import { CATALOGERS } from './index.ts';

/** True for files that can make a language package known: of what an operating system package owns, only these matter. */
export function isLanguagePackageFile(path: string): boolean {
  return CATALOGERS.some(
    ({ role, wants, sniff }) => role === 'language' && (wants(path) || sniff?.mayWant(path) === true),
  );
}
