import { join } from 'node:path';
import { goQuote } from '../../constraints/go-quote.ts';
import { messageOf } from '../../platform/errors.ts';
import { GatorClient, sortResults } from '../client/client.ts';
import { isConstraint } from '../client/constraint.ts';
import { type ExpansionTemplate, isExpansion, readExpansions } from '../client/expansion.ts';
import { reviewObject } from '../client/review-object.ts';
import { readObject, readObjects } from '../documents.ts';
import { GatorError, SAYS } from '../errors.ts';
import { readTextFile } from '../files.ts';
import { conversionError } from '../library/template.ts';
import { gvkOf, gvkText, nameOf, namespaceOf, type Unstructured } from '../object.ts';
import { compileRegex, type Regex } from '../regex/regex.ts';
import { isAdmissionReview, reviewOf } from './admission-review.ts';
import type { Filter } from './filter.ts';
import type { FoundSuite } from './find-suites.ts';
import type { CaseResult, SuiteResult, TestResult } from './result.ts';
import { assertionError, type Case, type Test } from './suite.ts';

/** Says what constraints find in an object: by the known Rego, or by the engine of the guard. */
export interface Judge {
  addTemplate(object: Unstructured): void;
  addConstraint(object: Unstructured): void;
  addData(object: Unstructured): void;
  /** The messages about an object, in gator's order. */
  judge(object: Unstructured, expansions: readonly ExpansionTemplate[]): readonly string[];
}

export interface RunDeps {
  /** A judge that knows nothing yet. */
  newJudge(): Judge;
}

/** Runs a suite; what goes wrong is in the result of the test or case it went wrong in. */
export async function runSuite(
  deps: RunDeps,
  filter: Filter,
  { suite, shownPath, folder }: FoundSuite,
): Promise<SuiteResult> {
  if (suite.skip) return { path: shownPath, skipped: true, seconds: 0, tests: [] };
  const start = performance.now();
  const tests: TestResult[] = [];
  for (const test of suite.tests) {
    tests.push(
      test.skip || !filter.test(test)
        ? { name: test.name, skipped: true, seconds: 0, cases: [] }
        : await runTest(deps, filter, folder, test),
    );
  }
  return { path: shownPath, skipped: false, seconds: since(start), tests };
}

function since(start: number): number {
  return (performance.now() - start) / 1000;
}

async function runTest(deps: RunDeps, filter: Filter, folder: string, test: Test): Promise<TestResult> {
  const start = performance.now();
  const cases: CaseResult[] = [];
  let error: string | undefined;
  const failure = await failureOf(() => prepare(deps, folder, test));
  if (test.invalid) {
    const schema = failure instanceof GatorError && failure.code === 'constraint_schema';
    const got = failure === undefined ? '%!w(<nil>)' : messageOf(failure);
    if (!schema) error = `${SAYS.validConstraint}: got error ${got} but want ${SAYS.schema}`;
  } else if (failure === undefined) {
    const unread = await failureOf(() => readExpansionFile(folder, test.expansion));
    if (unread !== undefined) error = messageOf(unread);
    else for (const one of test.cases) cases.push(await runCase(deps, filter, folder, test, one));
  } else {
    error = messageOf(failure);
  }
  return { name: test.name, skipped: false, error, seconds: since(start), cases };
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof GatorError) return error;
    throw error;
  }
}

/** A judge with the test's template and constraint. */
async function prepare(deps: RunDeps, folder: string, test: Test): Promise<Judge> {
  const judge = deps.newJudge();
  if (test.template === '') throw new GatorError('suite_invalid', `${SAYS.invalidSuite}: missing template`);
  const template = await readTemplateFile(join(folder, test.template));
  told(SAYS.addingTemplate, () => judge.addTemplate(template));
  if (test.constraint === '') throw new GatorError('suite_invalid', `${SAYS.invalidSuite}: missing constraint`);
  judge.addConstraint(await readConstraintFile(join(folder, test.constraint)));
  return judge;
}

const shown = (path: string): string => goQuote(path.replace(/^\//, ''));

async function readTemplateFile(path: string): Promise<Unstructured> {
  const text = await readAs(`reading ConstraintTemplate from ${shown(path)}`, path);
  const object = parsed(`${SAYS.addingTemplate}: parsing ConstraintTemplate YAML from ${shown(path)}`, text);
  const error = conversionError(object);
  if (error === undefined) return object;
  throw new GatorError('template_invalid', `path ${shown(path)}: ${error}`);
}

/** Does something and says what, when it fails. */
function told(what: string, work: () => void): void {
  try {
    work();
  } catch (cause) {
    if (!(cause instanceof GatorError)) throw cause;
    throw new GatorError(cause.code, `${what}: ${cause.message}`, { cause });
  }
}

async function readConstraintFile(path: string): Promise<Unstructured> {
  const text = await readAs(`reading Constraint from ${shown(path)}`, path);
  const object = parsed(`${SAYS.addingConstraint}: parsing Constraint from ${shown(path)}`, text);
  if (isConstraint(object)) return object;
  throw new GatorError('constraint_invalid', SAYS.notConstraint);
}

async function readExpansionFile(folder: string, name: string): Promise<readonly ExpansionTemplate[]> {
  if (name === '') return [];
  const path = join(folder, name);
  const text = await readAs(`reading ExpansionTemplate from ${shown(path)}`, path);
  const objects = readAll(text, path);
  if (objects.length === 0 || !objects.every(isExpansion)) {
    throw new GatorError('expansion_invalid', `${SAYS.notExpansion}: ${shown(path)}`);
  }
  return readExpansions(objects);
}

async function readAs(what: string, path: string): Promise<string> {
  try {
    return await readTextFile(path);
  } catch (cause) {
    throw new GatorError('input_unreadable', `${what}: ${messageOf(cause)}`, { cause });
  }
}

function parsed(what: string, text: string): Unstructured {
  try {
    return readObject(text);
  } catch (cause) {
    throw new GatorError('yaml_invalid', `${what}: ${messageOf(cause)}`, { cause });
  }
}

function readAll(text: string, path: string): readonly Unstructured[] {
  try {
    return readObjects(text);
  } catch (cause) {
    throw new GatorError('yaml_invalid', `reading ${shown(path)}: ${messageOf(cause)}`, { cause });
  }
}

async function runCase(deps: RunDeps, filter: Filter, folder: string, test: Test, one: Case): Promise<CaseResult> {
  const { name } = one;
  if (one.skip || !filter.case(test.name, name)) return { name, skipped: true, seconds: 0 };
  const start = performance.now();
  const failure = await failureOf(() => checkCase(deps, folder, test, one));
  return { name, skipped: false, error: failure === undefined ? undefined : messageOf(failure), seconds: since(start) };
}

async function checkCase(deps: RunDeps, folder: string, test: Test, one: Case): Promise<void> {
  if (one.object === '') throw invalidCase('must define object');
  if (one.assertions.length === 0) throw invalidCase('assertions must be non-empty');
  const judge = await prepare(deps, folder, test);
  const expansions = await readExpansionFile(folder, test.expansion);
  const path = join(folder, one.object);
  const [object, ...others] = await readCaseObjects(path);
  if (object === undefined || others.length > 0) {
    throw new GatorError('case_invalid', `${SAYS.manyObjects}: ${shown(path)} defines ${others.length + 1} objects`);
  }
  for (const name of one.inventory) {
    for (const data of await readCaseObjects(join(folder, name))) addInventory(judge, data);
  }
  const messages = judge.judge(object, expansions);
  for (const assertion of one.assertions) {
    const error = assertionError(assertion, messages, matches);
    if (error !== undefined) throw new GatorError('case_invalid', error);
  }
}

function invalidCase(message: string): GatorError {
  return new GatorError('case_invalid', `${SAYS.invalidCase}: ${message}`);
}

async function readCaseObjects(path: string): Promise<readonly Unstructured[]> {
  const objects = readAll(await readTextFile(path), path);
  if (objects.length > 0) return objects;
  throw new GatorError('case_invalid', `${SAYS.noObjects}: path ${shown(path)} defines no YAML objects`);
}

function addInventory(judge: Judge, data: Unstructured): void {
  const what = `${gvkText(gvkOf(data))} ${namespaceOf(data)}/${nameOf(data)}`;
  told(`${SAYS.inventory}: ${what}`, () => judge.addData(data));
}

/** Compiled only when there is a message to hold against it, as in gator: an expression nobody needs is never wrong. */
function matches(pattern: string, text: string): boolean {
  let regex: Regex;
  try {
    regex = compileRegex(pattern);
  } catch (cause) {
    throw new GatorError('regex_invalid', `${SAYS.regex}: ${messageOf(cause)}`, { cause });
  }
  return regex.test(text);
}

/** Judges by the Rego of the known templates, as gator does. */
export function regoJudge(): Judge {
  const client = new GatorClient();
  return {
    addTemplate: (object) => void client.addTemplate(object),
    addConstraint: (object) => client.addConstraint(object),
    addData: (object) => client.addData(object),
    judge: (object, expansions) => {
      const results = isAdmissionReview(object)
        ? client.review(reviewOf(object))
        : reviewObject({ client, expansions, namespaceOf: () => undefined }, object);
      return sortResults(results).map(({ message }) => message);
    },
  };
}
