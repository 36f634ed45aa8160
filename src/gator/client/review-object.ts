import { messageOf } from '../../platform/errors.ts';
import { GatorError } from '../errors.ts';
import { gvkOf, gvkText, nameOf, namespaceOf, type Unstructured } from '../object.ts';
import { type GatorClient, type Result, type Review } from './client.ts';
import { type ExpansionTemplate, expandObject } from './expansion.ts';
import type { NamespaceFacts } from './match.ts';

export interface ReviewDeps {
  readonly client: GatorClient;
  readonly expansions: readonly ExpansionTemplate[];
  /** The namespace an object stands in, where the command knows it apart from the constraints' memory. */
  namespaceOf(object: Unstructured): NamespaceFacts | undefined;
}

/** Judges an object and everything it makes. What comes of generated objects says so, and may act otherwise. */
export function reviewObject({ client, expansions, ...deps }: ReviewDeps, object: Unstructured): readonly Result[] {
  const facts = deps.namespaceOf(object);
  const review: Review = { object, namespace: namespaceOf(object), namespaceFacts: facts, source: 'Original' };
  const results = [...client.review(review)];
  for (const made of expanded(expansions, object, facts?.name)) {
    const child: Review = {
      object: made.object,
      namespace: namespaceOf(made.object),
      namespaceFacts: facts,
      source: 'Generated',
    };
    for (const result of client.review(child)) {
      results.push({
        ...result,
        message: `[Implied by ${made.template}] ${result.message}`,
        action: made.action || result.action,
      });
    }
  }
  return results;
}

function expanded(expansions: readonly ExpansionTemplate[], object: Unstructured, namespace: string | undefined) {
  if (expansions.length === 0 && !hasNoKind(object)) return [];
  try {
    return expandObject(expansions, object, namespace);
  } catch (cause) {
    const name = nameOf(object);
    throw new GatorError(
      'expansion_invalid',
      `expanding resource ${name}: error expanding resource ${name}: ${messageOf(cause)}`,
      { cause },
    );
  }
}

function hasNoKind(object: Unstructured): boolean {
  return gvkText(gvkOf(object)) === '/, Kind=';
}
