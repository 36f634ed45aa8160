/**
 * Counts the results of several parts of a run: `summary.mjs FOLDER PART…`. Each part may have left in the folder `PART.json` (as vitest's
 * JSON reporter writes it), `PART.ran` and `PART.failed`. Names what failed and what was left out; the last line is the sum.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const [folder = '.', ...parts] = process.argv.slice(2);

const counted = parts.map((part) => [part, count(part)]);
const failed = counted.flatMap(([part, { failed }]) => failed.map((name) => `${part}: ${name}`));
const skipped = counted.flatMap(([part, { skipped }]) => skipped.map((name) => `${part}: ${name}`));
const passed = counted.reduce((sum, [, one]) => sum + one.passed, 0);
// Something that is no test failed, like building the peers.
for (const name of readdirSync(folder).filter((file) => file.endsWith('.failed'))) {
  const part = name.slice(0, -'.failed'.length);
  if (!parts.includes(part)) failed.push(`${part}: ended with an error`);
}

for (const [part, one] of counted)
  console.log(`${part}: ${one.passed} passed, ${one.failed.length} failed, ${one.skipped.length} skipped`);
for (const name of skipped) console.log(`skipped  ${name}`);
for (const name of failed) console.log(`FAILED   ${name}`);
console.log(`${passed} passed, ${failed.length} failed${skipped.length === 0 ? '' : `, ${skipped.length} skipped`}`);
process.exitCode = failed.length === 0 && passed > 0 ? 0 : 1;

/** @param {string} part */
function count(part) {
  const file = join(folder, `${part}.json`);
  if (!existsSync(file)) return { passed: 0, failed: ['left no results'], skipped: [] };
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const tests = results.testResults.flatMap((one) => one.assertionResults);
  const named = (...statuses) => tests.filter((test) => statuses.includes(test.status)).map((test) => test.fullName);
  const failures = [
    ...named('failed'),
    // A file that could not be loaded has no tests.
    ...results.testResults
      .filter((one) => one.status === 'failed' && !one.assertionResults.some((test) => test.status === 'failed'))
      .map((one) => `${one.name} ${one.message ?? ''}`.trim()),
  ];
  if (failures.length === 0 && (!results.success || existsSync(join(folder, `${part}.failed`))))
    failures.push('ended with an error although no test failed');
  return {
    passed: named('passed').length,
    failed: failures,
    skipped: named('skipped', 'pending', 'todo', 'disabled'),
  };
}
