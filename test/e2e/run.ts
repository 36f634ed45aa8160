import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/platform/errors.ts';
import { hasData } from '../support/data.ts';
import { checked, leavesOut, leftOut } from './check.ts';
import { openStage, type Stage } from './stage.ts';
import { startAndStop } from './steps/01-start.ts';
import { makeProjects } from './steps/02-projects.ts';
import { pushImages } from './steps/03-push.ts';
import { takeAdvisories } from './steps/04-advisories.ts';
import { gatePulls } from './steps/05-gate.ts';
import { guardCluster } from './steps/06-guard.ts';
import { grantException } from './steps/07-exception.ts';
import { mirrorImages } from './steps/08-mirror.ts';
import { exportEvidence } from './steps/09-evidence.ts';
import { heading } from './terminal.ts';

/** The journey of the README, with the real clients and a real cluster. Each step works on what the ones before left. */
const STEPS: readonly (readonly [title: string, step: (stage: Stage) => Promise<void>, ...needs: string[]])[] = [
  ['1 Start, stop, start again', startAndStop],
  ['2 Projects, by command line and API', makeProjects],
  ['3 Push with skopeo, podman and docker', pushImages],
  ['4 Advisories: build, swap, judge again', takeAdvisories],
  ['5 The verdict and the gate', gatePulls],
  ['6 Trusted sources and the cluster', guardCluster, 'kubernetes'],
  ['7 An exception, granted by somebody else, for a time', grantException],
  ['8 Mirroring instead of trusting', mirrorImages],
  ['9 Evidence', exportEvidence],
];

interface Result {
  readonly fullName: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly failureMessages: readonly string[];
}

const { values } = parseArgs({ options: { json: { type: 'string' } } });
const results = await walk();
if (values.json !== undefined) writeFileSync(values.json, report(results));
process.exitCode = results.every(({ status }) => status !== 'failed') ? 0 : 1;

async function walk(): Promise<readonly Result[]> {
  if (!hasData)
    return summed([
      failure(
        'the large test data',
        'The journey needs real images and advisories: set BREAKWATER_TEST_DATA to the folder of the test data.',
      ),
    ]);
  const stage = await openStage();
  const results: Result[] = [];
  try {
    // A step behind a failed one may fail for the same reason, or show more.
    for (const [title, step, ...needs] of STEPS) results.push(await take(title, step, needs, stage));
  } finally {
    await stage.close();
  }
  for (const name of leftOut) results.push({ fullName: `with ${name}`, status: 'skipped', failureMessages: [] });
  return summed(results);
}

async function take(
  title: string,
  step: (stage: Stage) => Promise<void>,
  needs: readonly string[],
  stage: Stage,
): Promise<Result> {
  heading(title);
  if (needs.some(leavesOut)) return { fullName: title, status: 'skipped', failureMessages: [] };
  const began = performance.now();
  try {
    await step(stage);
    console.log(`\n-- as expected (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    return { fullName: title, status: 'passed', failureMessages: [] };
  } catch (error) {
    console.log(`\nThe server printed:\n${lastWords(stage)}`);
    return failure(title, error instanceof Error ? (error.stack ?? error.message) : messageOf(error));
  }
}

function failure(fullName: string, message: string): Result {
  console.log(`\nNOT AS EXPECTED: ${message}`);
  return { fullName, status: 'failed', failureMessages: [message] };
}

function summed(results: readonly Result[]): readonly Result[] {
  const count = (wanted: Result['status']) => results.filter(({ status }) => status === wanted).length;
  const skipped = count('skipped') === 0 ? '' : `, ${count('skipped')} skipped`;
  console.log('');
  for (const { fullName, status } of results) console.log(`${status.padEnd(8)}${fullName}`);
  console.log(`e2e: ${count('passed')} passed, ${count('failed')} failed${skipped} (${checked.count} checks)`);
  return results;
}

/** In the form of vitest's JSON reporter, so that all parts of a run are counted alike. */
function report(results: readonly Result[]): string {
  const success = results.every(({ status }) => status !== 'failed');
  const file = { name: 'e2e', status: success ? 'passed' : 'failed', assertionResults: results };
  return JSON.stringify({ success, testResults: [file] }, null, 2);
}

function lastWords(stage: Stage): string {
  try {
    return stage.server().output().slice(-3000);
  } catch {
    return 'nothing: it was not running';
  }
}
