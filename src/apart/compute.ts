import type { DatabaseLocation } from '../db/database.ts';
import { openForReading, type Reading } from '../db/snapshot.ts';
import { openAdvisoryDatabase } from '../scanner/advisories/database.ts';
import type { AdvisoryDatabase } from '../scanner/advisories/types.ts';
import { computeAgain, createManyMemory, type ManyMemory } from '../verdicts/judge-many.ts';
import type { Cause } from '../verdicts/ports.ts';
import type { Sources } from '../verdicts/sources.ts';
import type { Subject } from '../verdicts/subjects.ts';
import { createPacker, type PackedMany } from './packed-many.ts';
import { KEPT_TABLES, sourcesOver } from './sources.ts';

/** Judgings whose parts may take turns. */
const MEMORIES_KEPT = 2;

/** A part of a judging, with where to find what it is about. */
export interface ComputeTask {
  readonly location: DatabaseLocation;
  readonly hosts: readonly string[];
  /** The advisories in use; absent when there are none. */
  readonly advisories?: { readonly path: string; readonly version: string };
  /** State of what is kept in memory, where those who write know it and the database does not. */
  readonly state?: number;
  /** What is remembered of the parts before it: another text, and nothing is. */
  readonly memory: string;
  readonly cause: Cause;
  readonly subjects: readonly Subject[];
}

interface Opened {
  readonly key: string;
  readonly reading: Reading;
  readonly sources: Sources;
}

/** Computes parts of judgings, one at a time, over a connection of its own. */
export function createComputer(): (task: ComputeTask) => Promise<PackedMany> {
  let opened: Opened | undefined;
  let advisories: AdvisoryDatabase | undefined;
  let state = 0;
  const memories = new Map<string, { readonly memory: ManyMemory; readonly pack: ReturnType<typeof createPacker> }>();

  async function open({ location, hosts }: ComputeTask): Promise<Opened> {
    const key = JSON.stringify([location, hosts]);
    if (opened?.key === key) return opened;
    await opened?.reading.close();
    const reading = openForReading(location);
    const sources = sourcesOver(reading.db, {
      state: reading.stateOf?.(KEPT_TABLES) ?? (() => state),
      hosts,
      advisories: () => advisories,
    });
    opened = { key, reading, sources };
    return opened;
  }

  function openAdvisories(wanted: ComputeTask['advisories']): void {
    if (advisories?.path === wanted?.path && advisories?.version === wanted?.version) return;
    advisories?.close();
    advisories = undefined;
    if (!wanted) return;
    advisories = openAdvisoryDatabase(wanted.path);
    if (advisories.version !== wanted.version)
      throw new Error(
        `the advisories are ${advisories.version.slice(0, 19)} and no longer ${wanted.version.slice(0, 19)}`,
      );
  }

  function remembered(name: string) {
    const known = memories.get(name) ?? { memory: createManyMemory(), pack: createPacker() };
    memories.delete(name);
    memories.set(name, known);
    for (const old of [...memories.keys()].slice(0, -MEMORIES_KEPT)) memories.delete(old);
    return known;
  }

  return async (task) => {
    const { sources } = await open(task);
    openAdvisories(task.advisories);
    state = task.state ?? 0;
    const { memory, pack } = remembered(task.memory);
    return pack(await computeAgain(sources, task.subjects, task.cause, memory));
  };
}
