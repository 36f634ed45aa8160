import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(process.env['BREAKWATER_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data'));

/** True when the large test data (real images and advisories) is at hand. */
export const hasData: boolean = existsSync(join(root, 'PROVENANCE.md'));

/** A path inside the large test data. */
export function dataPath(...parts: string[]): string {
  return join(root, ...parts);
}
