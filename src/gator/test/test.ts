import { goQuote } from '../../constraints/go-quote.ts';
import { messageOf } from '../../platform/errors.ts';
import { GatorClient, type Result, sortResults } from '../client/client.ts';
import { isConstraint } from '../client/constraint.ts';
import { readExpansions } from '../client/expansion.ts';
import { type NamespaceFacts } from '../client/match.ts';
import { reviewObject } from '../client/review-object.ts';
import { GatorError } from '../errors.ts';
import { conversionError, isTemplate } from '../library/template.ts';
import {
  gvkOf,
  gvkText,
  isNamespace,
  labelsOf,
  nameOf,
  namespaceOf,
  namespaceProblem,
  type Unstructured,
} from '../object.ts';

/** One violation with the object that commits it. */
export interface TestedResult extends Result {
  readonly object: Unstructured;
}

const MUTATORS = new Set(['Assign', 'AssignMetadata', 'ModifySet', 'AssignImage']);

/** Judges all objects by all templates and constraints among them. Throws `GatorError` in gator's words. */
export function testObjects(objects: readonly Unstructured[]): readonly TestedResult[] {
  const client = new GatorClient();
  for (const object of objects.filter(isTemplate)) {
    const error = conversionError(object);
    if (error !== undefined)
      throw new GatorError(
        'template_invalid',
        `auditing objects: converting unstructured ${goQuote(nameOf(object))} to template: ${error}`,
      );
    within(`adding template ${goQuote(nameOf(object))}`, () => client.addTemplate(object));
  }
  for (const object of objects.filter(isConstraint)) {
    within(`adding constraint ${goQuote(nameOf(object))}`, () => client.addConstraint(object));
  }
  for (const object of objects) {
    within(`adding data of GVK ${goQuote(gvkText(gvkOf(object)))}`, () => client.addData(object));
  }
  expectNoMutators(objects);
  const expansions = within('error creating expander', () => readExpansions(objects));
  const namespaces = namespacesAmong(objects);
  const results = objects.flatMap((object) => {
    const found = reviewObject({ client, expansions, namespaceOf: (one) => namespaceFor(namespaces, one) }, object);
    return found.map((result) => ({ result, object }));
  });
  const objectOf = new Map(results.map(({ result, object }) => [result, object]));
  return sortResults(results.map(({ result }) => result)).map((result) => ({
    ...result,
    object: objectOf.get(result) ?? {},
  }));
}

function within<Value>(what: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof GatorError)) throw cause;
    throw new GatorError(cause.code, `auditing objects: ${what}: ${messageOf(cause)}`, { cause });
  }
}

/** Mutators change what is generated before it is judged; what they would do is not known here. */
export function expectNoMutators(objects: readonly Unstructured[]): void {
  const mutator = objects.find((object) => {
    const { group, kind } = gvkOf(object);
    return group === 'mutations.gatekeeper.sh' && MUTATORS.has(kind);
  });
  if (mutator === undefined) return;
  const { kind } = gvkOf(mutator);
  throw new GatorError(
    'expansion_invalid',
    `the ${kind} ${goQuote(nameOf(mutator))} is a mutator, which is not supported; use gator for it`,
  );
}

export function namespacesAmong(objects: readonly Unstructured[]): ReadonlyMap<string, NamespaceFacts> {
  return new Map(
    objects.filter(isNamespace).map((object) => {
      const problem = namespaceProblem(object);
      if (problem !== undefined) throw new GatorError('expansion_invalid', `error parsing resources: ${problem}`);
      const name = nameOf(object);
      return [name, { name, labels: labelsOf(object) }];
    }),
  );
}

/** What gator knows of an object's namespace; cluster-scoped objects get one without a name, as there. */
export function namespaceFor(
  namespaces: ReadonlyMap<string, NamespaceFacts>,
  object: Unstructured,
): NamespaceFacts | undefined {
  const name = namespaceOf(object);
  const unnamed = name === '' || name === 'default' ? { name, labels: {} } : undefined;
  return name === '' ? unnamed : (namespaces.get(name) ?? unnamed);
}
