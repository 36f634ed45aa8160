import type { StatedPackage } from '../../model.ts';
import { isThirdParty } from './third-party.ts';

interface Parsed {
  readonly packages: readonly StatedPackage[];
  /** Names of packages whose makers are not the distribution. */
  readonly thirdParty: readonly string[];
  readonly problems: readonly string[];
}

/** States of dpkg in which the files of a package are on disk (dpkg(1), "Package states"). */
const PRESENT: ReadonlySet<string> = new Set([
  'installed',
  'unpacked',
  'half-configured',
  'triggers-awaited',
  'triggers-pending',
]);
const WANTED: ReadonlySet<string> = new Set(['package', 'version', 'status', 'architecture', 'source', 'maintainer']);
/** Name, and its version in brackets where it differs from the binary's. */
const SOURCE = /^(\S{1,256}?)(?:\s+\(([^)]{1,256})\))?$/;
const NAME = /^[a-z0-9][a-z0-9+._:-]{0,255}$/i;
const VERSION = /^\S{1,256}$/;
const MOST_PROBLEMS = 100;

/**
 * Reads `var/lib/dpkg/status`: stanzas of `Field: value`, continued by lines that begin with a blank, separated by empty
 * lines (deb822). Fragments of distroless images have no Status: what lies there is installed.
 */
export function parseStatus(content: Buffer, options: { readonly fragment: boolean }): Parsed {
  const packages: StatedPackage[] = [];
  const thirdParty: string[] = [];
  const problems: string[] = [];
  for (const { fields, line } of stanzasOf(content.toString('utf8'))) {
    const status = fields.get('status');
    const state = status === undefined ? (options.fragment ? 'installed' : undefined) : status.split(/\s+/)[2];
    if (state !== undefined && !PRESENT.has(state)) continue;
    const name = fields.get('package');
    const version = fields.get('version');
    if (state === undefined || !name || !version || !NAME.test(name) || !VERSION.test(version)) {
      if (problems.length < MOST_PROBLEMS) problems.push(`line ${line}: ${problemOf(name, version, state)}`);
      continue;
    }
    const source = sourceOf(fields.get('source'), version);
    const arch = fields.get('architecture');
    const foreign = isThirdParty(fields.get('maintainer'), version);
    if (foreign) thirdParty.push(name);
    packages.push({
      type: 'deb',
      name,
      version,
      ...(arch ? { arch } : {}),
      ...(source && (source.name !== name || source.version !== version) ? { source } : {}),
      ...(foreign ? { thirdParty: true } : {}),
    });
  }
  return { packages, thirdParty, problems };
}

function problemOf(name: string | undefined, version: string | undefined, state: string | undefined): string {
  if (!name || !NAME.test(name)) return 'an entry without a package name';
  if (!version || !VERSION.test(version)) return `package ${name} has no version`;
  return state === undefined ? `package ${name} has no status` : 'an entry that is no package';
}

function sourceOf(text: string | undefined, version: string): { name: string; version: string } | undefined {
  const match = SOURCE.exec(text ?? '');
  return match?.[1] === undefined ? undefined : { name: match[1], version: match[2] ?? version };
}

interface Stanza {
  readonly fields: Map<string, string>;
  readonly line: number;
}

function* stanzasOf(text: string): Generator<Stanza> {
  let stanza: Stanza | undefined;
  let number = 0;
  for (const raw of text.split('\n')) {
    number += 1;
    const line = raw.trimEnd();
    if (line === '') {
      if (stanza) yield stanza;
      stanza = undefined;
      continue;
    }
    // Continued values (descriptions, conffiles) hold nothing we read.
    if (line.startsWith(' ') || line.startsWith('\t')) continue;
    stanza ??= { fields: new Map(), line: number };
    const colon = line.indexOf(':');
    const key = line.slice(0, Math.max(colon, 0)).toLowerCase();
    if (WANTED.has(key) && !stanza.fields.has(key)) stanza.fields.set(key, line.slice(colon + 1).trim());
  }
  if (stanza) yield stanza;
}
