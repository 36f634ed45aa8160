import { getHeapStatistics } from 'node:v8';
import { type Constraint, parseConstraint } from '../../constraints/constraint.ts';
import { type EvaluateDeps, evaluate } from '../../constraints/evaluate.ts';
import { NO_FACTS } from '../../constraints/image-facts.ts';
import { type Rules, rulesOf } from '../../constraints/rules.ts';
import { messageOf } from '../../platform/errors.ts';
import { GatorClient } from '../client/client.ts';
import { isConstraint } from '../client/constraint.ts';
import { GatorError } from '../errors.ts';
import { constraintKindOf, isTemplate } from '../library/template.ts';
import { gvkOf, isNamespace, labelsOf, nameOf, type Unstructured } from '../object.ts';
import { type BenchResults, latenciesOf, type SetupBreakdown } from './results.ts';

export interface BenchTask {
  readonly objects: readonly Unstructured[];
  readonly iterations: number;
  readonly warmup: number;
}

/** What one thread measured. */
export interface Measured {
  /** Nanoseconds of each review. */
  readonly durations: Float64Array;
  readonly violations: number;
  readonly elapsed: number;
  readonly bytes: number;
  readonly setup: SetupBreakdown;
}

export const ENGINE = 'breakwater';

/** The input in the parts gator takes it for. */
function sorted(objects: readonly Unstructured[]) {
  const templates = objects.filter(isTemplate);
  const constraints = objects.filter((object) => !isTemplate(object) && isConstraint(object));
  const reviewed = objects.filter((object) => !isTemplate(object) && !isConstraint(object));
  return { templates, constraints, reviewed };
}

interface Engine {
  readonly deps: EvaluateDeps;
  readonly rules: Rules;
  readonly setup: SetupBreakdown;
}

const since = (start: number): number => (performance.now() - start) * 1e6;

/** Loads templates and constraints. Throws `GatorError` for what gator or we do not take. */
function prepare(objects: readonly Unstructured[]): Engine {
  const { templates, constraints, reviewed } = sorted(objects);
  const clientStart = performance.now();
  const client = new GatorClient();
  const clientCreation = since(clientStart);
  const templateStart = performance.now();
  for (const template of templates) {
    within(`adding template "${nameOf(template)}"`, () => client.addTemplate(template));
  }
  const templateCompilation = since(templateStart);
  const constraintStart = performance.now();
  const skipped = new Set(skippedConstraints(objects));
  const loaded: Constraint[] = [];
  for (const constraint of constraints) {
    if (skipped.has(nameOf(constraint))) continue;
    within(`adding constraint "${nameOf(constraint)}"`, () => {
      client.addConstraint(constraint);
      loaded.push(parseConstraint(constraint));
    });
  }
  const constraintLoading = since(constraintStart);
  const dataStart = performance.now();
  const namespaces = new Map(reviewed.filter(isNamespace).map((object) => [nameOf(object), labelsOf(object)]));
  const deps: EvaluateDeps = { ...NO_FACTS, namespaceLabels: (name) => namespaces.get(name) };
  const dataLoading = since(dataStart);
  return {
    deps,
    rules: rulesOf(loaded),
    setup: { clientCreation, templateCompilation, constraintLoading, dataLoading },
  };
}

function within<Value>(what: string, work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    throw new GatorError('review_failed', `benchmark failed: benchmarking ${ENGINE}: ${what}: ${messageOf(cause)}`, {
      cause,
    });
  }
}

function skippedConstraints(objects: readonly Unstructured[]): readonly string[] {
  const { templates, constraints } = sorted(objects);
  const kinds = new Set(templates.map(constraintKindOf));
  return constraints.filter((object) => !kinds.has(gvkOf(object).kind)).map(nameOf);
}

/** Judges every object once per iteration and times each. Throws `GatorError`. */
export function measure({ objects, iterations, warmup }: BenchTask): Measured {
  const { deps, rules, setup } = prepare(objects);
  const { reviewed } = sorted(objects);
  const judge = (object: Unstructured): number => {
    const lines = evaluate(deps, rules, 'gator.gatekeeper.sh', { object });
    return lines.length;
  };
  within('review failed', () => {
    for (let round = 0; round < warmup; round++) for (const object of reviewed) judge(object);
  });
  const durations = new Float64Array(iterations * reviewed.length);
  let violations = 0;
  let at = 0;
  const before = getHeapStatistics();
  const start = performance.now();
  within('review failed', () => {
    for (let round = 0; round < iterations; round++) {
      for (const object of reviewed) {
        const began = performance.now();
        violations += judge(object);
        durations[at++] = (performance.now() - began) * 1e6;
      }
    }
  });
  const elapsed = since(start);
  const bytes = allocated(getHeapStatistics()) - allocated(before);
  return { durations, violations, elapsed, bytes, setup };
}

function allocated(statistics: object): number {
  return 'total_allocated_bytes' in statistics ? Number(statistics.total_allocated_bytes) : 0;
}

function fail(message: string): GatorError {
  return new GatorError('input_unreadable', `benchmark failed: ${message}`);
}

/** Throws `GatorError` when a part of the input is missing. */
export function expectInput(objects: readonly Unstructured[]): void {
  const { templates, constraints, reviewed } = sorted(objects);
  if (objects.length === 0) throw fail('no input data identified');
  if (templates.length === 0) throw fail('no ConstraintTemplates found in input');
  if (constraints.length === 0) throw fail('no Constraints found in input');
  if (reviewed.length === 0) throw fail('no objects to review found in input');
  if (skippedConstraints(objects).length === constraints.length) {
    throw fail(`no constraints loaded (all ${constraints.length} constraints skipped due to missing templates)`);
  }
}

/** Puts together what several threads measured side by side; `elapsed` is the time from the first start to the last end. */
export function summarise(
  objects: readonly Unstructured[],
  { iterations, memory }: { readonly iterations: number; readonly memory: boolean },
  parts: readonly Measured[],
  elapsed: number,
): BenchResults {
  const { templates, constraints, reviewed } = sorted(objects);
  const skipped = skippedConstraints(objects);
  const durations = new Float64Array(parts.reduce((sum, one) => sum + one.durations.length, 0));
  let at = 0;
  for (const part of parts) {
    durations.set(part.durations, at);
    at += part.durations.length;
  }
  const setup = parts[0]?.setup ?? { clientCreation: 0, templateCompilation: 0, constraintLoading: 0, dataLoading: 0 };
  const bytes = parts.reduce((sum, one) => sum + one.bytes, 0);
  return {
    engine: ENGINE,
    templateCount: templates.length,
    constraintCount: constraints.length - skipped.length,
    objectCount: reviewed.length,
    iterations,
    concurrency: parts.length,
    setupDuration: Object.values(setup).reduce((sum: number, one: number) => sum + one, 0),
    setupBreakdown: setup,
    totalDuration: elapsed,
    latencies: latenciesOf(durations),
    violationCount: parts.reduce((sum, one) => sum + one.violations, 0),
    reviewsPerSecond: elapsed === 0 ? 0 : durations.length / (elapsed / 1e9),
    ...(memory
      ? { memoryStats: { bytesPerReview: Math.round(bytes / Math.max(1, durations.length)), totalBytes: bytes } }
      : {}),
    skippedConstraints: skipped,
  };
}
