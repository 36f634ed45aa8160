import { type Constraint, ConstraintError, parseConstraint } from '../../constraints/constraint.ts';
import { type EvaluateDeps, EvaluationError, evaluate } from '../../constraints/evaluate.ts';
import { ExpansionError, parseExpansion } from '../../constraints/expansion.ts';
import { NO_FACTS } from '../../constraints/image-facts.ts';
import { GatorClient } from '../client/client.ts';
import { GatorError } from '../errors.ts';
import { compareBytes } from '../go-text.ts';
import { isNamespace, labelsOf, nameOf, type Unstructured } from '../object.ts';
import { isAdmissionReview, reviewOf } from './admission-review.ts';
import type { Judge } from './run.ts';

/**
 * Judges as the guard does: templates as the pods they make, names normalised, image volumes too, and in its own words.
 * Templates and constraints must still be ones that gator would take, and the Rego one that is known. What registries
 * know about images is not asked.
 */
export function breakwaterJudge(): Judge {
  const client = new GatorClient();
  const constraints: Constraint[] = [];
  const namespaces = new Map<string, Readonly<Record<string, string>>>();
  const deps: EvaluateDeps = { ...NO_FACTS, namespaceLabels: (name) => namespaces.get(name) };
  return {
    addTemplate: (object) => void client.addTemplate(object),
    addConstraint(object) {
      client.addConstraint(object);
      constraints.push(within(() => parseConstraint(object)));
    },
    addData(object) {
      client.addData(object);
      if (isNamespace(object)) namespaces.set(nameOf(object), labelsOf(object));
    },
    judge(object, expansions) {
      const rules = {
        constraints,
        expansions: expansions.map(({ written }) => within(() => parseExpansion(written))),
        exempt: () => false,
      };
      const input = inputOf(object);
      const lines = within(() => evaluate(deps, rules, 'gator.gatekeeper.sh', input));
      return lines
        .filter(({ kind }) => kind === 'untrusted')
        .sort((left, right) => compareBytes(left.action, right.action) || compareBytes(left.message, right.message))
        .map(({ message }) => message);
    },
  };
}

function inputOf(object: Unstructured) {
  if (!isAdmissionReview(object)) return { object };
  const review = reviewOf(object);
  const old = review.oldObject === undefined ? {} : { oldObject: review.oldObject };
  return { object: review.object, ...old, ...(review.namespace === '' ? {} : { namespace: review.namespace }) };
}

function within<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    const ours =
      cause instanceof ConstraintError || cause instanceof ExpansionError || cause instanceof EvaluationError;
    if (!ours) throw cause;
    throw new GatorError('review_failed', cause.message, { cause });
  }
}
