import { createHash } from 'node:crypto';

/** Strings stay as they are: a `#` or blank in them is text. */
const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|#[^\n]*/g;
/** Stands where a string stood while blanks are folded; no Rego holds it. */
const HOLE = '\u0000';

/**
 * The name of a Rego program: a digest of its modules without comments, indentation and blank lines, which mean nothing.
 * Line ends do mean something and are kept, and so is every other character: a program that was changed has another name.
 */
export function regoFingerprint(modules: readonly string[]): string {
  const hash = createHash('sha256');
  for (const module of modules) hash.update(plainRego(module)).update('\u0000');
  return hash.digest('hex');
}

function plainRego(module: string): string {
  const strings: string[] = [];
  const holed = module
    .replaceAll('\r\n', '\n')
    .replaceAll(HOLE, ' ')
    .replace(STRING_OR_COMMENT, (found) => {
      if (found.startsWith('#')) return '';
      strings.push(found);
      return HOLE;
    });
  const lines = holed
    .split('\n')
    .map((line) => line.replaceAll(/[ \t]+/g, ' ').trim())
    .filter((line) => line !== '');
  return lines.join('\n').replaceAll(HOLE, () => strings.shift() ?? '');
}
