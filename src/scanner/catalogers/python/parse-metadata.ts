import type { StatedPackage } from '../../model.ts';
import { readMailHeaders } from './mail-headers.ts';

/** Name of the core metadata specification (PEP 508). */
const NAME = /^[A-Z0-9](?:[A-Z0-9._-]{0,254}[A-Z0-9])?$/i;
const VERSION = /^[^\s\p{C}]{1,256}$/u;
/** Longer ones are the text of a licence, not its name. */
const LONGEST_LICENCE = 200;

/** What was read of one installed project. */
export interface PythonPackage {
  readonly packages: readonly StatedPackage[];
  readonly problems?: readonly string[];
}

/** Reads `METADATA` or `PKG-INFO` of an installed Python project. The name stays as it is written there. */
export function parseMetadata(content: Buffer): PythonPackage {
  const headers = readMailHeaders(content);
  const name = headers.get('name')?.[0] ?? '';
  const version = headers.get('version')?.[0] ?? '';
  if (name === '' || version === '') return { packages: [], problems: ['it names no project, or no version of it'] };
  if (!NAME.test(name) || !VERSION.test(version))
    return { packages: [], problems: ['its name or version cannot be one'] };
  const licence = licenceOf(headers);
  return { packages: [{ type: 'pypi', name, version, ...(licence === undefined ? {} : { licence }) }] };
}

/** The expression of PEP 639, else what its author wrote, else what it is filed under. */
function licenceOf(headers: ReadonlyMap<string, readonly string[]>): string | undefined {
  const filed = headers.get('classifier')?.find((text) => text.startsWith('License ::'));
  return [headers.get('license-expression')?.[0], headers.get('license')?.[0], filed?.split(' :: ').at(-1)]
    .map((text) => text?.toWellFormed())
    .find((text) => text !== undefined && text !== '' && text !== 'UNKNOWN' && text.length <= LONGEST_LICENCE);
}
