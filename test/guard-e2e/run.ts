import { messageOf } from '../../src/platform/errors.ts';
import { count } from './check.ts';
import { openStage, type Stage } from './stage.ts';
import { agreement } from './steps/agreement.ts';
import { gate } from './steps/gate.ts';
import { guardProcess } from './steps/guard-process.ts';
import { matrix } from './steps/matrix.ts';
import { notStopping } from './steps/not-stopping.ts';
import { openapiWalk } from './steps/openapi-walk.ts';
import { pinning } from './steps/pinning.ts';
import { warnings } from './steps/warnings.ts';

/** What a cluster sees of the guard, with the real API server and kubectl. Names of steps as arguments run those alone. */
const STEPS: Readonly<Record<string, (stage: Stage) => Promise<void>>> = {
  walk: openapiWalk,
  matrix,
  'not-stopping': notStopping,
  pinning,
  warnings,
  agreement,
  gate,
  // Last: from then on the webhook configuration speaks of that program.
  process: guardProcess,
};

const wanted = process.argv.slice(2);
const stage = await openStage();
try {
  for (const [name, step] of Object.entries(STEPS)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    try {
      await step(stage);
    } catch (error) {
      count.failed += 1;
      console.log(`  FAIL  ${name} could not be finished: ${messageOf(error)}`);
    }
  }
} finally {
  await stage.close();
}
console.log(`\n${count.passed} passed, ${count.failed} failed`);
process.exitCode = count.failed === 0 && count.passed > 0 ? 0 : 1;
