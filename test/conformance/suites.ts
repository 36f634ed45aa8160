import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { BreakwaterServer } from '../support/breakwater.ts';
import { run } from '../support/program.ts';
import { type Counts, countTests } from './junit.ts';

/** A program of the specification's authors that tests a registry from outside. */
export interface Suite {
  readonly name: string;
  /** Variable with the path of its built program. */
  readonly variable: string;
  /** Its settings for a server; all begin with `OCI_`. */
  settings(server: BreakwaterServer, reports: string): NodeJS.ProcessEnv;
}

/** The project that repositories of the suites are in. */
export const PROJECT = 'conformance';
const REPOSITORIES = [`${PROJECT}/repo1`, `${PROJECT}/repo2`] as const;
const LIMIT_MS = 600_000;

export const SUITES: readonly Suite[] = [
  {
    name: 'v1.1.1',
    variable: 'OCI_CONFORMANCE_V1',
    settings: ({ url, password }, reports) => ({
      OCI_ROOT_URL: url,
      OCI_NAMESPACE: REPOSITORIES[0],
      OCI_CROSSMOUNT_NAMESPACE: REPOSITORIES[1],
      OCI_USERNAME: 'admin',
      OCI_PASSWORD: password,
      OCI_TEST_PULL: '1',
      OCI_TEST_PUSH: '1',
      OCI_TEST_CONTENT_DISCOVERY: '1',
      OCI_TEST_CONTENT_MANAGEMENT: '1',
      OCI_AUTOMATIC_CROSSMOUNT: '1',
      OCI_REPORT_DIR: reports,
    }),
  },
  rewritten('1.1'),
  rewritten('dev'),
];

/** The suite as rewritten after 1.1.1; `dev` asks for what the next version of the specification demands. */
function rewritten(version: string): Suite {
  return {
    name: `main, ${version}`,
    variable: 'OCI_CONFORMANCE',
    settings: ({ host, password }, reports) => ({
      OCI_REGISTRY: host,
      OCI_TLS: 'disabled',
      OCI_REPO1: REPOSITORIES[0],
      OCI_REPO2: REPOSITORIES[1],
      OCI_USERNAME: 'admin',
      OCI_PASSWORD: password,
      // Each request asks for the token it needs, as clients do: one for a mount reads from two repositories.
      OCI_CACHE_AUTH: 'false',
      OCI_VERSION: version,
      OCI_RESULTS_DIR: reports,
    }),
  };
}

/** Settings of whoever started this must not reach the suites. */
const FOREIGN_SETTINGS = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('OCI_'))
    .map((name) => [name, undefined]),
);

/** Runs a suite against a server. Throws, with what it printed, when it did not come to a result. */
export async function runSuite(
  suite: Suite,
  deps: { readonly program: string; readonly server: BreakwaterServer; readonly folder: string },
): Promise<Counts> {
  const reports = await mkdtemp(join(deps.folder, 'reports-'));
  const { code, screen } = await run(deps.program, [], {
    folder: reports,
    environment: { ...FOREIGN_SETTINGS, ...suite.settings(deps.server, reports) },
    timeout: LIMIT_MS,
  });
  // One of them answers 0 when it could not even begin, so only its report counts.
  const report = await readFile(join(reports, 'junit.xml'), 'utf8').catch(() => '');
  const counts = report === '' ? undefined : countTests(report);
  if (!counts || counts.passed + counts.failures.length === 0)
    throw new Error(`the suite ${suite.name} tested nothing (exit ${code}):\n${screen.slice(-4000)}`);
  if (code !== 0 && counts.failures.length === 0) return { ...counts, failures: [`exit code ${code}`] };
  return counts;
}
