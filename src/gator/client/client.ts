import { GatorError } from '../errors.ts';
import { compareBytes } from '../go-text.ts';
import { violationsOf } from '../library/rules.ts';
import { readTemplate, TARGET, type Template } from '../library/template.ts';
import { gvkOf, isNamespace, labelsOf, nameOf, namespaceOf, namespaceProblem, type Unstructured } from '../object.ts';
import { type LoadedConstraint, loadConstraint } from './constraint.ts';
import { gatekeeperMatches, MatchError, type NamespaceFacts, type Source } from './match.ts';

/** One violation, as gator reports it. */
export interface Result {
  readonly message: string;
  readonly constraint: LoadedConstraint;
  readonly action: string;
  readonly scopedActions: readonly string[] | undefined;
  /** True when it could not be said whether the constraint covers the object, which counts as a violation. */
  readonly unmatched: boolean;
}

export interface Review {
  /** What the constraints read; null for a request that only has an old object. */
  readonly object: Unstructured | null;
  readonly oldObject?: Unstructured | undefined;
  /** Of the request: an admission request names it apart from its object. */
  readonly namespace: string;
  /** Where the namespace was looked up already, even if it was not found by the constraints' own memory. */
  readonly namespaceFacts?: NamespaceFacts | undefined;
  readonly source: Source;
}

/** Templates, constraints and namespaces, and the question what they say about an object. Gatekeeper's client without its Rego. */
export class GatorClient {
  readonly #templates = new Map<string, Template>();
  readonly #constraints = new Map<string, LoadedConstraint>();
  readonly #namespaces = new Map<string, NamespaceFacts>();

  /** Throws `GatorError` for a template that is no template, is refused, or has Rego we do not know. */
  addTemplate(object: Unstructured): Template {
    const template = readTemplate(object);
    this.#templates.set(template.name.toLowerCase(), template);
    return template;
  }

  /** Throws `GatorError` when the constraint does not fit its template. */
  addConstraint(object: Unstructured): void {
    const constraint = loadConstraint(this.#templates, object);
    this.#constraints.set(`${constraint.template.kind}/${constraint.name}`, constraint);
  }

  /** Remembers a namespace; any other object is only checked, since the known programs look at no other objects. */
  addData(object: Unstructured): void {
    const { version, kind } = gvkOf(object);
    const lacking = version === '' ? 'version' : kind === '' ? 'kind' : undefined;
    if (lacking !== undefined) {
      throw new GatorError(
        'review_failed',
        `${TARGET}: invalid request object: resource ${nameOf(object)} has no ${lacking}\n`,
      );
    }
    const problem = isNamespace(object) ? namespaceProblem(object) : undefined;
    if (problem !== undefined) {
      throw new GatorError(
        'review_failed',
        `${TARGET}: cannot cache non-namespace type: cannot cache Namespace: ${problem}\n`,
      );
    }
    if (isNamespace(object) && version === 'v1' && namespaceOf(object) === '') {
      const name = nameOf(object);
      this.#namespaces.set(name, { name, labels: labelsOf(object) });
    }
  }

  get constraints(): readonly LoadedConstraint[] {
    return [...this.#constraints.values()];
  }

  /** All violations of one object, by kind and name of the constraint. */
  review(review: Review): readonly Result[] {
    const results = this.constraints.flatMap((constraint) => this.#judge(constraint, review));
    return results.sort(
      (left, right) =>
        compareBytes(left.constraint.template.kind, right.constraint.template.kind) ||
        compareBytes(left.constraint.name, right.constraint.name),
    );
  }

  #judge(constraint: LoadedConstraint, review: Review): readonly Result[] {
    const { scopedActions, action } = constraint;
    if (scopedActions?.length === 0) return [];
    const result = (message: string, unmatched = false): Result => ({
      message,
      constraint,
      action,
      scopedActions,
      unmatched,
    });
    try {
      if (!this.#covers(constraint, review)) return [];
    } catch (error) {
      if (!(error instanceof MatchError)) throw error;
      return [result(`unable to match constraints: ${error.message}`, true)];
    }
    return violationsOf(constraint.template.program.meaning, review.object, constraint.parameters).map((message) =>
      result(message),
    );
  }

  #covers({ match }: LoadedConstraint, review: Review): boolean {
    if (match === undefined) return true;
    const namespace =
      review.namespaceFacts ?? (review.namespace === '' ? undefined : this.#namespaces.get(review.namespace));
    for (const object of [review.object, review.oldObject]) {
      if (!object) continue;
      try {
        if (gatekeeperMatches(match, { object, namespace, source: review.source })) return true;
      } catch (error) {
        if (!(error instanceof MatchError)) throw error;
        throw new MatchError(
          `error matching the requested object: ${nameOf(object)} :failed to run Match criteria: ${error.message}`,
        );
      }
    }
    return false;
  }
}

/** The order gator prints results in: by action, then by message. */
export function sortResults(results: readonly Result[]): readonly Result[] {
  return [...results].sort(
    (left, right) => compareBytes(left.action, right.action) || compareBytes(left.message, right.message),
  );
}
