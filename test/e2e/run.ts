import { messageOf } from '../../src/platform/errors.ts';
import { hasData } from '../support/data.ts';
import { checked } from './check.ts';
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
const STEPS: readonly (readonly [title: string, step: (stage: Stage) => Promise<void>])[] = [
  ['1 Start, stop, start again', startAndStop],
  ['2 Projects, by command line and API', makeProjects],
  ['3 Push with skopeo, podman and docker', pushImages],
  ['4 Advisories: build, swap, judge again', takeAdvisories],
  ['5 The verdict and the gate', gatePulls],
  ['6 Trusted sources and the cluster', guardCluster],
  ['7 An exception, granted by somebody else, for a time', grantException],
  ['8 Mirroring instead of trusting', mirrorImages],
  ['9 Evidence', exportEvidence],
];

process.exitCode = await walk();

async function walk(): Promise<number> {
  if (!hasData) {
    console.error(
      'The journey needs real images and advisories: set BREAKWATER_TEST_DATA to the folder of the test data.',
    );
    return 1;
  }
  const stage = await openStage();
  let passed = 0;
  try {
    for (const [title, step] of STEPS) {
      heading(title);
      const began = performance.now();
      await step(stage);
      passed += 1;
      console.log(`\n-- as expected (${((performance.now() - began) / 1000).toFixed(1)} s)`);
    }
  } catch (error) {
    console.error(`\nNOT AS EXPECTED: ${error instanceof Error ? (error.stack ?? error.message) : messageOf(error)}`);
    console.error(`\nThe server printed:\n${lastWords(stage)}`);
  } finally {
    await stage.close();
  }
  const failed = STEPS.length - passed;
  // Steps behind a failed one were not walked, and count as failed.
  console.log(`\ne2e: ${passed} passed, ${failed} failed (${checked.count} checks)`);
  return failed === 0 ? 0 : 1;
}

function lastWords(stage: Stage): string {
  try {
    return stage.server().output().slice(-3000);
  } catch {
    return 'nothing: it was not running';
  }
}
