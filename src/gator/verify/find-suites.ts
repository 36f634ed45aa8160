import { dirname, relative, resolve } from 'node:path';
import { goQuote } from '../../constraints/go-quote.ts';
import { messageOf } from '../../platform/errors.ts';
import { isRecord } from '../../platform/json-object.ts';
import { notAMap } from '../documents.ts';
import { GatorError, SAYS } from '../errors.ts';
import { filesBelow, kindOfPath, readTextFile } from '../files.ts';
import { compareBytes } from '../go-text.ts';
import { gvkOf } from '../object.ts';
import { readYaml } from '../yaml/read.ts';
import { readSuite, type Suite } from './suite.ts';

export interface FoundSuite {
  readonly suite: Suite;
  /** As the user would write it, for the output. */
  readonly shownPath: string;
  /** The folder its files are named from. */
  readonly folder: string;
}

const ENDINGS = ['.yaml', '.yml'];

/**
 * The suites of a file, of a folder, or with `/...` at the end of a folder and all below. Every YAML file met is read; one
 * that cannot be is an error, one that is no suite is passed over. Throws `GatorError`.
 */
export async function findSuites(path: string): Promise<readonly FoundSuite[]> {
  const deep = path.endsWith('/...');
  const named = deep ? path.slice(0, -'...'.length) : path;
  const root = resolve(named);
  const kind = await kindOfPath(root);
  if (kind === 'file' && deep) {
    throw new GatorError(
      'input_unreadable',
      `can only recursively traverse directories, not a directory: ${goQuote(root)}`,
    );
  }
  if (kind === 'file') {
    if (!ENDINGS.some((ending) => root.endsWith(ending))) {
      const ending = /\.[^./]*$/.exec(root)?.[0] ?? '';
      throw new GatorError('input_unreadable', `unsupported extension: ${goQuote(ending)}`);
    }
    const suite = await suiteOf(root);
    return suite ? [{ suite, shownPath: named, folder: dirname(root) }] : [];
  }
  const found: FoundSuite[] = [];
  for (const file of await filesBelow(root, ENDINGS, deep)) {
    const suite = await suiteOf(file);
    const shownPath = `${named}${named.endsWith('/') ? '' : '/'}${relative(root, file)}`;
    if (suite) found.push({ suite, shownPath, folder: dirname(file) });
  }
  return found.sort((left, right) => compareBytes(left.shownPath, right.shownPath));
}

async function suiteOf(file: string): Promise<Suite | undefined> {
  const text = await readTextFile(file);
  try {
    const value = readYaml('v3', text) ?? {};
    if (!isRecord(value)) throw notAMap(value);
    const { group, kind } = gvkOf(value);
    return group === 'test.gatekeeper.sh' && kind === 'Suite' ? readSuite(value) : undefined;
  } catch (cause) {
    if (cause instanceof GatorError && cause.code === 'suite_invalid') throw cause;
    const where = goQuote(file.slice(1));
    throw new GatorError('yaml_invalid', `${SAYS.yaml}: parsing yaml file ${where}: ${messageOf(cause)}`, { cause });
  }
}
