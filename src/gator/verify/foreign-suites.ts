import { join } from 'node:path';
import { isConstraintKind } from '../../constraints/kinds/kinds.ts';
import { readObject } from '../documents.ts';
import { GatorError } from '../errors.ts';
import { readTextFile } from '../files.ts';
import { constraintKindOf } from '../library/template.ts';
import type { FoundSuite } from './find-suites.ts';

export interface ForeignSuite extends FoundSuite {
  /** The kinds its templates make. */
  readonly kinds: readonly string[];
}

/** Separates suites that test one of our kinds from those that test none. A template that cannot be read counts as ours. */
export async function splitByTemplate(
  suites: readonly FoundSuite[],
): Promise<{ readonly own: readonly FoundSuite[]; readonly foreign: readonly ForeignSuite[] }> {
  const own: FoundSuite[] = [];
  const foreign: ForeignSuite[] = [];
  for (const suite of suites) {
    const kinds = await kindsOf(suite);
    if (kinds.length === 0 || kinds.some((kind) => kind === undefined || isConstraintKind(kind))) own.push(suite);
    else foreign.push({ ...suite, kinds: kinds.filter((kind) => kind !== undefined) });
  }
  return { own, foreign };
}

async function kindsOf({ suite, folder }: FoundSuite): Promise<readonly (string | undefined)[]> {
  const paths = new Set(suite.tests.map(({ template }) => template));
  const kinds = await Promise.all([...paths].map((path) => kindOf(join(folder, path))));
  return [...new Set(kinds)];
}

async function kindOf(path: string): Promise<string | undefined> {
  try {
    return constraintKindOf(readObject(await readTextFile(path))) || undefined;
  } catch (error) {
    if (error instanceof GatorError) return undefined;
    throw error;
  }
}
