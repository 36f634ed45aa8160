import { LANGUAGE_CATALOGERS } from './languages.ts';

/** True for files that can make a language package known: of what an operating system package owns, only these matter. */
export function isLanguagePackageFile(path: string): boolean {
  return LANGUAGE_CATALOGERS.some((cataloger) => cataloger.wants(path) || cataloger.sniff?.mayWant(path) === true);
}
