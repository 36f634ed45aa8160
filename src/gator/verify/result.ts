/** What came of a case. */
export interface CaseResult {
  readonly name: string;
  readonly skipped: boolean;
  readonly error?: string | undefined;
  readonly seconds: number;
}

export interface TestResult {
  readonly name: string;
  readonly skipped: boolean;
  readonly error?: string | undefined;
  readonly seconds: number;
  readonly cases: readonly CaseResult[];
}

export interface SuiteResult {
  readonly path: string;
  readonly skipped: boolean;
  readonly seconds: number;
  readonly tests: readonly TestResult[];
}

export function suiteFailed({ tests }: SuiteResult): boolean {
  return tests.some(testFailed);
}

function testFailed({ error, cases }: TestResult): boolean {
  return error !== undefined || cases.some((one) => one.error !== undefined);
}

/** The results as gator prints them. `verbose`: every test and case, not only those that failed. */
export function printResults(results: readonly SuiteResult[], verbose: boolean): string {
  const lines = results.flatMap((suite) => suiteLines(suite, verbose));
  return [...lines, results.some(suiteFailed) ? 'FAIL' : 'PASS', ''].join('\n');
}

function suiteLines(suite: SuiteResult, verbose: boolean): string[] {
  const verdict = suiteFailed(suite) ? 'FAIL' : 'ok';
  return [
    ...suite.tests.flatMap((test) => testLines(test, verbose)),
    `${verdict}\t${suite.path}\t${duration(suite.seconds)}`,
  ];
}

function testLines(test: TestResult, verbose: boolean): string[] {
  if (verbose && test.skipped) return [`=== SKIP  ${test.name}`];
  const lines = [
    ...(verbose ? [`=== RUN   ${test.name}`] : []),
    ...test.cases.flatMap((one) => caseLines(one, verbose)),
  ];
  const time = `\t(${duration(test.seconds)})`;
  if (testFailed(test)) lines.push(`--- FAIL: ${test.name}${time}`);
  else if (verbose) lines.push(`--- PASS: ${test.name}${time}`);
  if (test.error !== undefined) lines.push(`  ${test.error}`);
  return lines;
}

function caseLines({ name, skipped, error, seconds }: CaseResult, verbose: boolean): string[] {
  if (verbose && skipped) return [`    === SKIP  ${name}`];
  const lines = verbose ? [`    === RUN   ${name}`] : [];
  const time = `\t(${duration(seconds)})`;
  if (error !== undefined) lines.push(`    --- FAIL: ${name}${time}`, `        ${error}`);
  else if (verbose) lines.push(`    --- PASS: ${name}${time}`);
  return lines;
}

function duration(seconds: number): string {
  return `${seconds.toFixed(3)}s`;
}
