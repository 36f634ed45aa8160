import type { Executable } from '../../executables/executable.ts';
import type { FileView } from '../../file-view.ts';
import type { StatedPackage } from '../../model.ts';
import { RUNTIMES, type Runtime } from './runtimes.ts';
import { type Stretch, searchTexts } from './search.ts';

/** Few names are those of a runtime: most files are asked one question instead of one for each. */
const ANY_RUNTIME = new RegExp(RUNTIMES.map(({ file }) => file.source).join('|'));

/**
 * The runtime a program is, known by its name and a text in its data. One that states several versions is a problem, not a
 * guess; a name alone says nothing.
 */
export function classify(
  path: string,
  file: FileView,
  executables: readonly Executable[],
): { readonly packages: readonly StatedPackage[]; readonly problems: readonly string[] } {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const packages: StatedPackage[] = [];
  const problems: string[] = [];
  if (!ANY_RUNTIME.test(name)) return { packages, problems };
  for (const runtime of RUNTIMES) {
    const pattern = patternFor(runtime, name);
    if (!pattern) continue;
    const found = new Set(executables.flatMap((one) => searchTexts(file, dataOf(file, one), pattern)));
    const versions = runtime.highest ? highestOf([...found]) : [...found];
    const [version] = versions;
    if (versions.length > 1) problems.push(`it looks like ${runtime.name}, and names several versions of it`);
    else if (version !== undefined) packages.push({ type: 'generic', name: runtime.name, version });
  }
  return { packages, problems };
}

function highestOf(versions: readonly string[]): readonly string[] {
  const [first, ...others] = versions.map((text) => text.split('.').map(Number));
  if (!first) return [];
  const highest = others.reduce((high, next) => (isHigher(next, high) ? next : high), first);
  return [highest.join('.')];
}

function isHigher(one: readonly number[], other: readonly number[]): boolean {
  const differs = one.findIndex((number, at) => number !== other[at]);
  return differs >= 0 && (one[differs] ?? 0) > (other[differs] ?? 0);
}

function patternFor({ file, text }: Runtime, name: string): RegExp | undefined {
  const match = file.exec(name);
  const series = match?.[1]?.replaceAll('.', '\\.') ?? '';
  return match ? new RegExp(text.replaceAll('SERIES', series), 'g') : undefined;
}

/** Where texts can be: in what is loaded and no code, and anywhere when nothing is known of the file's parts. */
function dataOf(file: FileView, { sections }: Executable): readonly Stretch[] {
  const data = sections.filter(({ holds }) => holds === 'data');
  return data.length > 0 ? data : [{ at: 0, size: file.size }];
}
