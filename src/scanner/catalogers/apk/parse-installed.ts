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
}

const MOST_PROBLEMS = 100;

/**
 * Reads `lib/apk/db/installed`: stanzas of one-letter fields, separated by empty lines (apk-tools, "Installed database").
 * P name, V version, A architecture, o origin, L licence; F and R name the files. The version of the origin is that of
 * the package: both come from one build.
 */
export function parseInstalled(content: Buffer): Parsed {
  const packages: StatedPackage[] = [];
  const owned: string[] = [];
  const problems: string[] = [];
  for (const stanza of stanzasOf(content.toString('utf8'))) {
    const name = stanza.fields.get('P');
    const version = stanza.fields.get('V');
    if (!name || !version) {
      if (problems.length < MOST_PROBLEMS)
        problems.push(`line ${stanza.line}: a package without ${name ? 'version' : 'name'}`);
      continue;
    }
    const origin = stanza.fields.get('o');
    packages.push({
      type: 'apk',
      name,
      version,
      ...present('arch', stanza.fields.get('A')),
      ...(origin && origin !== name ? { source: { name: origin, version } } : {}),
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
    if (line[1] !== ':') continue;
    stanza ??= { fields: new Map(), owned: [], line: number };
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
