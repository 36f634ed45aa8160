import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { messageOf } from '../../src/platform/errors.ts';
import { startBreakwater } from '../support/breakwater.ts';
import type { Counts } from './junit.ts';
import { BLOB_STORAGES, DATABASES, type Storage } from './storages.ts';
import { PROJECT, runSuite, SUITES, type Suite } from './suites.ts';

/**
 * Runs both official suites of the distribution specification against the real server, authentication on, over every
 * storage, and prints what they counted. Their programs are built by whoever starts this (docs/registry.md).
 */
const given = SUITES.filter((suite) => process.env[suite.variable]);
for (const variable of new Set(SUITES.filter((suite) => !given.includes(suite)).map((suite) => suite.variable)))
  console.log(`${variable} is not set to the path of a built suite (docs/registry.md, "Conformance"): left out.`);

const failures: string[] = [];
const folder = await mkdtemp(join(tmpdir(), 'breakwater-conformance-'));
try {
  if (given.length > 0) print('blobs', 'database', 'suite', 'passed', 'failed', 'skipped');
  for (const blobs of BLOB_STORAGES) for (const database of DATABASES) await runAll(blobs, database);
} finally {
  await rm(folder, { recursive: true, force: true });
}
for (const failure of failures) console.log(`failed: ${failure}`);
// The library that runs PostgreSQL sets the code to 0 when the process ends by itself.
process.exit(failures.length === 0 && given.length === SUITES.length ? 0 : 1);

/** A server of its own for each suite: what one leaves behind must not help or hinder the next. */
async function runAll(blobs: Storage, database: Storage): Promise<void> {
  for (const suite of given) {
    const where = [blobs.name, database.name, suite.name] as const;
    // What comes to no result is a failure of that cell; the others are still worth knowing.
    const counts = await runOne(suite, [blobs, database]).catch(
      (error: unknown): Counts => ({ passed: 0, skipped: 0, failures: [messageOf(error)] }),
    );
    failures.push(...counts.failures.map((name) => `${where.join(', ')}: ${name}`));
    print(...where, counts.passed, counts.failures.length, counts.skipped);
  }
}

async function runOne(suite: Suite, storages: readonly Storage[]): Promise<Counts> {
  const stops: (() => Promise<unknown>)[] = [];
  try {
    let environment: NodeJS.ProcessEnv = {};
    for (const storage of storages) {
      const started = await storage.start();
      stops.push(() => started.stop());
      environment = { ...environment, ...started.environment };
    }
    const server = await startBreakwater({ environment });
    stops.push(() => server.stop());
    const made = await server.cli(['project', 'create', PROJECT]);
    if (made.code !== 0) throw new Error(`the project could not be made:\n${made.screen}`);
    return await runSuite(suite, { program: resolve(process.env[suite.variable] ?? ''), server, folder });
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}

function print(...cells: readonly (string | number)[]): void {
  const widths = [12, 12, 12, 8, 8, 8];
  console.log(
    cells
      .map((cell, at) => String(cell).padEnd(widths[at] ?? 0))
      .join('')
      .trimEnd(),
  );
}
