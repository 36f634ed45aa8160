import type { StatedPackage } from '../../model.ts';

const MOST_LINES = 20_000;
const LONGEST_LINE = 10_000;
/** `s.name = "rake".freeze`, whatever the variable is called. */
const ASSIGNMENT = /^\s*[A-Za-z_]\w{0,40}\.(name|version|platform|licenses?)\s*=\s*(.+)$/;
/** `VERSION = '1.2.3'` at any depth: the constant that an assignment may name. */
const CONSTANT = /^\s*([A-Z][A-Za-z0-9_]{0,60})\s*=\s*(.+)$/;
const STRING = /^(?:Gem::Version\.new\(\s*|Gem::Platform\.new\(\s*)?(["'])((?:(?!\1)[^\\])*)\1/;
const STRINGS = /(["'])((?:(?!\1)[^\\])*)\1/g;
const REFERENCE = /^(?:[A-Z]\w*::)*([A-Z][A-Za-z0-9_]*)/;
const NAME = /^[A-Za-z0-9_.-]{1,200}$/;
const VERSION = /^[0-9][0-9A-Za-z.-]{0,200}$/;

/**
 * Reads a gem's specification as RubyGems installs it (`to_ruby`): assignments of literals, scanned and never evaluated, and
 * constants of the same file. What the file does not tell comes from its name, `rake-13.0.3.gemspec`; the platform is cut off
 * there. Undefined when neither gives name and version.
 */
export function parseGemspec(text: string, fileName: string): StatedPackage | undefined {
  const values = new Map<string, string>();
  const constants = new Map<string, string>();
  const licences: string[] = [];
  for (const line of text.split('\n', MOST_LINES)) {
    if (line.length > LONGEST_LINE) continue;
    const [, key, value] = ASSIGNMENT.exec(line) ?? [];
    if (key === undefined || value === undefined) {
      const [, constant, literal] = CONSTANT.exec(line) ?? [];
      const content = literal === undefined ? undefined : STRING.exec(literal)?.[2];
      if (constant !== undefined && content !== undefined) constants.set(constant, content);
    } else if (key.startsWith('licence') || key.startsWith('license')) {
      if (licences.length === 0) licences.push(...literals(value));
    } else if (!values.has(key)) {
      const content = STRING.exec(value)?.[2] ?? constants.get(REFERENCE.exec(value)?.[1] ?? '');
      if (content !== undefined) values.set(key, content);
    }
  }
  const named = readFileName(fileName, values.get('name'));
  const name = values.get('name') ?? named?.name ?? '';
  const version = values.get('version') ?? named?.version ?? '';
  if (!NAME.test(name) || !VERSION.test(version)) return undefined;
  const licence = licences.filter(Boolean).join(' AND ').slice(0, 200).toWellFormed();
  return { type: 'gem', name, version, ...(licence === '' ? {} : { licence }) };
}

function literals(value: string): readonly string[] {
  const list = value.startsWith('[') ? value.slice(0, value.indexOf(']') + 1) : value.split('#', 1)[0];
  return [...(list ?? '').matchAll(STRINGS)].flatMap((match) => match[2] ?? []);
}

/** `nokogiri-1.13.0-x86_64-linux`: the version is the first part after the name that begins with a digit and is dotted. */
function readFileName(
  fileName: string,
  known: string | undefined,
): { readonly name: string; readonly version: string } | undefined {
  const stem = fileName.replace(/\.gemspec$/, '');
  const rest = known !== undefined && stem.startsWith(`${known}-`) ? stem.slice(known.length + 1) : undefined;
  if (known !== undefined && rest !== undefined) return { name: known, version: rest.split('-', 1)[0] ?? '' };
  const parts = stem.split('-');
  const at = parts.findIndex((part, index) => index > 0 && /^\d+(?:\.[0-9A-Za-z]+)+$/.test(part));
  return at < 0 ? undefined : { name: parts.slice(0, at).join('-'), version: parts[at] ?? '' };
}
