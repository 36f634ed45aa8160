import type { Cataloger } from '../types.ts';
import { parsePackageJson } from './parse-package-json.ts';

const FILE = /(?:^|\/)package\.json$/;
/** `node_modules/name/package.json` or `node_modules/@scope/name/package.json`. */
const INSTALLED = /(?:^|\/)node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/;
/** Stores of pnpm and the like name files by their hash. */
const NO_EXTENSION = /(?:^|\/)[^/.]+$/;
const BRACE = 0x7b;
const BELOW_MODULES = /(?:^|\/)node_modules\//;

/** True for the `package.json` of an installed package. The ones deeper inside a package describe nothing installed. */
function isInstalledPackage(path: string): boolean {
  return INSTALLED.test(path);
}

/** Folder of a `package.json` outside `node_modules`: an application, if its modules are installed beside it. */
export function applicationFolder(path: string): string | undefined {
  return FILE.test(path) && !BELOW_MODULES.test(path) ? path.replace(FILE, '') : undefined;
}

/** What npm, yarn or pnpm have installed, and the applications it was installed for. */
export const npmCataloger: Cataloger = {
  name: 'npm',
  role: 'language',
  largest: 8 * 1024 * 1024,
  wants: (path) => path.endsWith('package.json') && (isInstalledPackage(path) || applicationFolder(path) !== undefined),
  catalog: (_path, file) => parsePackageJson(file.bytes()),
  linked: { wants: (path) => NO_EXTENSION.test(path), firstByte: BRACE },
};
