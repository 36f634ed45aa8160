import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { INSTALLATION } from './installation.ts';

const manifest = JSON.parse(readFileSync(join(INSTALLATION, 'package.json'), 'utf8')) as {
  version: string;
};

/** Version of the program, from package.json. */
export const VERSION: string = manifest.version;
