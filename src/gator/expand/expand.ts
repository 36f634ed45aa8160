import { messageOf } from '../../platform/errors.ts';
import { textAt } from '../../platform/json-object.ts';
import { expandObject, readExpansions } from '../client/expansion.ts';
import { GatorError } from '../errors.ts';
import { compareBytes, goJson } from '../go-text.ts';
import { nameOf, type Unstructured } from '../object.ts';
import { expectNoMutators, namespaceFor, namespacesAmong } from '../test/test.ts';
import { writeYaml } from '../yaml/write.ts';

/** Everything some objects make by the ExpansionTemplates among them, in gator's order. Throws `GatorError`. */
export function expandAll(objects: readonly Unstructured[]): readonly Unstructured[] {
  expectNoMutators(objects);
  try {
    const expansions = readExpansions(objects);
    const namespaces = namespacesAmong(objects);
    const made = objects.flatMap((object) =>
      expandOne(() => expandObject(expansions, object, namespaceFor(namespaces, object)?.name), object),
    );
    return made.sort((left, right) => compareBytes(keyOf(right), keyOf(left)));
  } catch (cause) {
    if (!(cause instanceof GatorError)) throw cause;
    throw new GatorError(cause.code, `error expanding resources: ${cause.message}`, { cause });
  }
}

function expandOne(work: () => readonly { readonly object: Unstructured }[], object: Unstructured): Unstructured[] {
  try {
    return work().map((one) => one.object);
  } catch (cause) {
    if (!(cause instanceof GatorError)) throw cause;
    throw new GatorError(cause.code, `error expanding resource ${nameOf(object)}: ${messageOf(cause)}`, { cause });
  }
}

function keyOf(object: Unstructured): string {
  return nameOf(object) + textAt(object, 'apiVersion') + textAt(object, 'kind');
}

/** Objects as `gator expand` prints them, with `---` between two. */
export function formatObjects(form: 'yaml' | 'json', objects: readonly Unstructured[]): string {
  const texts = objects.map((object) => (form === 'json' ? goJson(object, '    ') : writeYaml('v2', object)));
  return texts.join('---\n');
}
