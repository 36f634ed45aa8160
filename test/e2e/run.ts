/**
 * Walks the whole journey with real clients, a real Kubernetes API server, real images and real advisories, and shows what each user
 * would see: `npm run e2e [-- STEP…] [--json FILE]`. Steps stand on each other; naming some stops after the last of them. Ends with 1 when anything differs.
 */
import { readdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { dataPath, hasData } from '../support/data.ts';
import { isLeftOut } from '../support/peers.ts';
import { openJourney, type Step } from './journey.ts';
import { openTerminal } from './terminal.ts';

const { values } = parseArgs({ options: { json: { type: 'string' }, until: { type: 'string' } } });
const folder = join(import.meta.dirname, 'steps');
const files = readdirSync(folder)
  .filter((file) => /^\d\d-.*\.ts$/.test(file))
  .sort();

interface Result {
  readonly name: string;
  readonly status: 'passed' | 'failed' | 'skipped';
  readonly message?: string;
  readonly ms: number;
}

const terminal = openTerminal((text) => process.stdout.write(text));
const results: Result[] = [];
if (hasData) {
  const journey = await openJourney(terminal);
  try {
    for (const file of files) {
      if (values.until !== undefined && file.slice(0, 2) > values.until) break;
      results.push(await walk(file));
    }
  } finally {
    await journey.end();
  }

  async function walk(file: string): Promise<Result> {
    const { step } = (await import(join(folder, file))) as { step: Step };
    const name = `${Number(file.slice(0, 2))}. ${step.title}`;
    process.stdout.write(`\n━━ ${name}\n`);
    const began = performance.now();
    const missing = step.needs?.find(isLeftOut);
    if (missing !== undefined) {
      terminal.leaveOut(missing);
      return { name, status: 'skipped', ms: 0 };
    }
    try {
      await step.run(journey);
      return { name, status: 'passed', ms: performance.now() - began };
    } catch (error) {
      const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stdout.write(`\nFAILED: ${message}\n`);
      return { name, status: 'failed', message, ms: performance.now() - began };
    }
  }
} else {
  results.push({
    name: 'large test data',
    status: 'failed',
    message: `not found at ${relative('.', dataPath())}: set BREAKWATER_TEST_DATA`,
    ms: 0,
  });
}
for (const name of terminal.leftOut) results.push({ name: `with ${name}`, status: 'skipped', ms: 0 });

const count = (status: Result['status']) => results.filter((one) => one.status === status).length;
if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(report(), null, 2));
process.stdout.write('\n━━ The journey\n');
for (const { name, status, message, ms } of results)
  process.stdout.write(
    `${status.padEnd(8)}${name} (${(ms / 1000).toFixed(1)} s)${status === 'failed' ? `: ${message?.split('\n')[0]}` : ''}\n`,
  );
const skipped = count('skipped');
process.stdout.write(
  `${count('passed')} passed, ${count('failed')} failed${skipped === 0 ? '' : `, ${skipped} skipped`}\n`,
);
process.exit(count('failed') === 0 && count('passed') > 0 ? 0 : 1);

/** In the form of vitest's JSON reporter, so that all parts can be counted alike. */
function report(): object {
  return {
    success: count('failed') === 0,
    testResults: [
      {
        name: 'e2e',
        status: count('failed') === 0 ? 'passed' : 'failed',
        assertionResults: results.map(({ name, status, message }) => ({
          fullName: name,
          status,
          failureMessages: message === undefined ? [] : [message],
        })),
      },
    ],
  };
}
