const ALIAS = /^([^,\s]+) +as +[^,\s]+$/;
const STABILITY_FLAG = /@(?:stable|RC|beta|alpha|dev)$/i;
const BRANCH = /^dev-/i;
const BRANCHES: ReadonlySet<string> = new Set(['master', 'trunk', 'default']);
const METADATA = /^([^,\s+]+)\+[^\s]+$/;
const MODIFIER = String.raw`[._-]?(?:(stable|beta|b|RC|alpha|a|patch|pl|p)((?:[.-]?\d+(?:[.-]\d+)*)?))?([.-]?dev)?`;
const CLASSICAL = new RegExp(String.raw`^v?(\d{1,5}(?:\.\d+){0,3})${MODIFIER}$`, 'i');
const DATE = new RegExp(String.raw`^v?(\d{4}(?:[.:-]?\d{2}){1,6}(?:[.:-]?\d{1,3}){0,2})${MODIFIER}$`, 'i');
const NUMERIC_BRANCH = /^v?(\d+(?:\.(?:\d+|[x*])){0,3})[.-]?dev$/i;
const BRANCH_NUMBER = '9999999';

const STABILITIES: ReadonlyMap<string, string> = new Map([
  ['a', 'alpha'],
  ['b', 'beta'],
  ['p', 'patch'],
  ['pl', 'patch'],
]);

/**
 * The tokens of a Composer version in its normal form (Composer\Semver\VersionParser::normalize): numbers, at least four but
 * for dates, then words in lower case with their numbers. undefined for what has no place in an order: branches by name
 * (`dev-main`) and everything that Composer refuses. A branch by number, `1.x-dev`, is `1.9999999.9999999.9999999-dev`.
 */
export function normalizeComposer(text: string): readonly string[] | undefined {
  const named = text.trim().replace(ALIAS, '$1').replace(STABILITY_FLAG, '');
  if (BRANCHES.has(named) || BRANCH.test(named)) return undefined;
  const version = named.replace(METADATA, '$1');
  const classical = CLASSICAL.exec(version);
  if (classical !== null) return [...padded(classical[1] ?? '', '0'), ...modifiers(classical)];
  const date = DATE.exec(version);
  if (date !== null) return [...(date[1]?.split(/\D/) ?? []), ...modifiers(date)];
  const branch = NUMERIC_BRANCH.exec(version)?.[1];
  if (branch === undefined) return undefined;
  return [...padded(branch, BRANCH_NUMBER).map((part) => (/\d/.test(part) ? part : BRANCH_NUMBER)), 'dev'];
}

function padded(numbers: string, filler: string): readonly string[] {
  return [...numbers.split('.'), filler, filler, filler].slice(0, 4);
}

function modifiers([, , written, numbers = '', dev]: RegExpExecArray): readonly string[] {
  // Composer knows this word in lower case only, and forgets what follows it.
  if (written === 'stable') return [];
  const word = written?.toLowerCase();
  return [
    ...(word === undefined ? [] : [STABILITIES.get(word) ?? word]),
    ...(numbers.match(/\d+/g) ?? []),
    ...(dev === undefined ? [] : ['dev']),
  ];
}
