import { npmCataloger } from './npm/cataloger.ts';

/** True for files that make a language package known: of what an operating system package owns, only these matter. */
export function isLanguagePackageFile(path: string): boolean {
  return npmCataloger.wants(path);
}
