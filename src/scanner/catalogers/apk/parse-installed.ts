import type { StatedPackage } from '../../model.ts';
import { isLanguagePackageFile } from '../language-files.ts';

interface Parsed {
  readonly packages: readonly StatedPackage[];
  readonly owned: readonly string[];
  readonly problems: readonly string[];
}

interface Stanza {
  readonly fields: Map<string, string>;
  readonly owned: string[];
  /** Line of the file at which it begins. */
  readonly line: number;
  /** First line of it that cannot be understood. */
  noField?: number;
}

const MOST_PROBLEMS = 100;
/** Names and versions hold no blanks, and are short. */
const WORD = /^[^\s\p{C}]{1,256}$/u;

/**
 * Reads `lib/apk/db/installed`: stanzas of one-letter fields, separated by empty lines (apk-tools, "Installed database").
 * P name, V version, A architecture, o origin, L licence; F and R name the files. The version of the origin is that of
 * the package: both come from one build.
 */
export function parseInstalled(content: Buffer): Parsed {
  const packages: StatedPackage[] = [];
  const owned: string[] = [];
  const problems: string[] = [];
  const problem = (line: number, what: string): void => {
    if (problems.length < MOST_PROBLEMS) problems.push(`line ${line}: ${what}`);
  };
  for (const stanza of stanzasOf(content.toString('utf8'))) {
    const name = stanza.fields.get('P') ?? '';
    const version = stanza.fields.get('V') ?? '';
    if (stanza.noField !== undefined) problem(stanza.noField, 'it is no field of a package');
    if (!WORD.test(name) || !WORD.test(version)) {
      if (stanza.fields.size > 0) problem(stanza.line, `a package without ${WORD.test(name) ? 'version' : 'name'}`);
      continue;
    }
    const origin = stanza.fields.get('o');
    packages.push({
      type: 'apk',
      name,
      version,
      ...present('arch', stanza.fields.get('A')),
      ...(origin && origin !== name && WORD.test(origin) ? { source: { name: origin, version } } : {}),
      ...present('licence', stanza.fields.get('L')),
    });
    owned.push(...stanza.owned);
  }
  return { packages, owned, problems };
}

function* stanzasOf(text: string): Generator<Stanza> {
  let stanza: Stanza | undefined;
  let folder = '';
  let number = 0;
  for (const raw of text.split('\n')) {
    number += 1;
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line === '') {
      if (stanza) yield stanza;
      stanza = undefined;
      folder = '';
      continue;
    }
    stanza ??= { fields: new Map(), owned: [], line: number };
    if (line[1] !== ':') {
      stanza.noField ??= number;
      continue;
    }
    const key = line.slice(0, 1);
    const value = line.slice(2);
    if (key === 'F') folder = value;
    else if (key === 'R') {
      const path = folder === '' ? value : `${folder}/${value}`;
      if (isLanguagePackageFile(path)) stanza.owned.push(path);
    } else if (!stanza.fields.has(key)) stanza.fields.set(key, value);
  }
  if (stanza) yield stanza;
}

function present<Name extends string>(name: Name, value: string | undefined): { readonly [key in Name]?: string } {
  return (value ? { [name]: value } : {}) as { readonly [key in Name]?: string };
}
