import { capabilitiesOf } from '../db/capabilities.ts';
import type { Engine } from '../db/engine.ts';
import { createLedger } from '../ledger/ledger.ts';
import { silentLogger } from '../platform/logger.ts';
import { startRegistry, type TestRegistry } from '../registry/testing.ts';
import { type CollectDeps, collect, type Summary } from './collect.ts';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

export interface GcWorld {
  readonly registry: TestRegistry;
  readonly deps: CollectDeps;
  /** Collects until nothing is due. */
  run(changes?: Partial<CollectDeps>): Promise<Summary>;
  /** Lets the time pass after which nothing is promised any more, then collects. */
  runLater(): Promise<Summary>;
}

/** The registry of the registry's tests with garbage collection beside it; `front` gives untagged manifests up, `back` keeps them. */
export async function startGcWorld(engine: Engine): Promise<GcWorld> {
  const registry = await startRegistry(engine, 'filesystem');
  const { db, clock } = registry;
  await db.updateTable('projects').set({ delete_untagged: 1 }).where('name', '=', 'front').execute();
  const deps: CollectDeps = {
    db,
    clock,
    ledger: createLedger({ db, clock }),
    skipLocked: capabilitiesOf(engine).skipLocked,
    blobs: registry.blobs,
    logger: silentLogger,
    delayMs: 0,
    random: () => 0,
  };
  const run = (changes: Partial<CollectDeps> = {}) => collect({ ...deps, ...changes }, { mostReviews: 10_000 });
  return {
    registry,
    deps,
    run,
    async runLater() {
      clock.advance(25 * HOUR);
      return run();
    },
  };
}
