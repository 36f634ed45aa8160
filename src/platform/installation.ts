import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder with our package.json and all that ships with the program, wherever in it this code runs: as source or bundled. */
export const INSTALLATION: string = rootAbove(import.meta.dirname);

function rootAbove(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error(`no package.json in any folder above ${import.meta.dirname}`);
  return rootAbove(above);
}
