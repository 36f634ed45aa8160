import { SaxesParser } from 'saxes';

/** What a suite found. */
export interface Counts {
  readonly passed: number;
  readonly skipped: number;
  /** Names of the tests that failed. */
  readonly failures: readonly string[];
}

/** How the names of tests begin in both suites. */
const TESTS = 'OCI ';

/** Counts the test cases of a JUnit report by their status, as both suites write it. */
export function countTests(report: string): Counts {
  let passed = 0;
  let skipped = 0;
  const failures: string[] = [];
  const parser = new SaxesParser();
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name, attributes }) => {
    if (name !== 'testcase') return;
    const { status, name: test } = attributes;
    // Ginkgo also lists the writing of its reports.
    if (!test?.startsWith(TESTS)) return;
    if (status === 'passed') passed += 1;
    else if (status === 'skipped') skipped += 1;
    else failures.push(`${test} (${status})`);
  });
  parser.write(report).close();
  return { passed, skipped, failures };
}
