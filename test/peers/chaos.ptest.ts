import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { buildWithFault, FAULTS } from '../chaos/faults.ts';
import { chaos } from '../chaos/rounds.ts';
import { DATABASES } from '../chaos/storage.ts';

/** Other chances: `CHAOS_SEED=7 npm run test:peers -- chaos`; more rounds: `npm run chaos`. */
const SEED = Number(process.env['CHAOS_SEED'] ?? 1);
const ROUNDS = 25;
/** A kill must come between two moments that lie some milliseconds apart. */
const ROUNDS_TO_FIND_A_FAULT = 60;
/** Many starts of the whole server, on a machine that does other things too. */
const LONGEST_MS = 20 * 60_000;

describe('the server, killed at any moment', () => {
  it.each(DATABASES)(
    `loses nothing acknowledged, brings nothing deleted back and shows nothing damaged, on %s (seed ${SEED})`,
    async (database) => {
      const report = await chaos({ database, rounds: ROUNDS, seed: SEED });
      expect(report.losses).toEqual([]);
      expect(report.rounds).toBe(ROUNDS);
      // Otherwise nothing was shown.
      expect(report.acknowledged).toBeGreaterThan(ROUNDS * 10);
      expect(report.inDoubt).toBeGreaterThan(ROUNDS);
      expect(report.recount?.scrubbed).toBeGreaterThan(ROUNDS);
      expect(report.recount?.collected.blobs).toBeGreaterThan(0);
    },
    LONGEST_MS,
  );
});

describe('a server with a mistake that shows only when it is killed', () => {
  it.each(FAULTS)(
    'is found out: $name',
    async (fault) => {
      const folder = await mkdtemp(join(tmpdir(), 'breakwater-fault-'));
      try {
        const program = await buildWithFault(fault, folder);
        const report = await chaos({ database: 'sqlite', rounds: ROUNDS_TO_FIND_A_FAULT, seed: SEED, program });
        expect(report.losses).not.toEqual([]);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    LONGEST_MS,
  );

  it(
    'is found out: PostgreSQL says that something is committed before it has written it',
    async () => {
      const report = await chaos({ database: 'postgres', rounds: ROUNDS_TO_FIND_A_FAULT, seed: SEED, careless: true });
      expect(report.losses).not.toEqual([]);
    },
    LONGEST_MS,
  );
});
