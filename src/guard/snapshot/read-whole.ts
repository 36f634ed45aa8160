import type { Logger } from '../../platform/logger.ts';
import { areTooMany, join } from './chunks.ts';
import type { Contents, Manifest, SnapshotMaps } from './config-maps.ts';
import { SnapshotError } from './errors.ts';

export interface ReadDeps {
  readonly maps: SnapshotMaps;
  readonly logger: Logger;
  /** Bytes that a part may have; undefined for parts that no section of this version keeps. */
  readonly largestOf: (part: string) => number | undefined;
  /** Takes the names of pieces that are not what they were written as. */
  readonly damaged: Set<string>;
}

const READ_ATTEMPTS = 3;

/** The parts of the newest snapshot that is whole; undefined when what there is cannot be used, which is said. Throws `KubernetesError`. */
export async function readWhole(deps: ReadDeps): Promise<Map<string, unknown> | 'absent' | undefined> {
  const { maps, logger } = deps;
  let [problem, manifest]: [string, Manifest | undefined] = ['', undefined];
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt += 1) {
    const held = await maps.readManifest();
    if (!held) return 'absent';
    ({ manifest } = held);
    if (!manifest) {
      logger.error({ problem: held.problem }, 'the snapshot in the cluster is ignored');
      return undefined;
    }
    try {
      return await read(deps, manifest.current);
    } catch (error) {
      if (!(error instanceof SnapshotError)) throw error;
      problem = error.message;
      if (error.code !== 'replaced') break;
    }
  }
  const previous = manifest?.previous;
  const before = previous && (await read(deps, previous).catch(ignoreDamage));
  logger.error(
    { problem, ...(before ? { used: 'the one before' } : {}) },
    before
      ? 'the snapshot in the cluster is damaged; the one before is used'
      : 'the snapshot in the cluster is ignored',
  );
  return before;
}

async function read({ maps, logger, largestOf, damaged }: ReadDeps, contents: Contents): Promise<Map<string, unknown>> {
  const values = new Map<string, unknown>();
  const skip = (part: string, largest: number): void =>
    logger.warn({ part, largest }, 'a part of the snapshot is too large to be read and is passed over');
  for (const [name, chunks] of Object.entries(contents.parts)) {
    const largest = largestOf(name);
    if (largest === undefined) continue;
    if (areTooMany(chunks.length, largest)) {
      skip(name, largest);
      continue;
    }
    try {
      values.set(name, await join(await Promise.all(chunks.map((chunk) => maps.readChunk(chunk))), largest));
    } catch (error) {
      if (error instanceof SnapshotError && error.code === 'too_large') {
        skip(name, largest);
        continue;
      }
      for (const chunk of chunks) damaged.add(chunk);
      throw error;
    }
  }
  return values;
}

function ignoreDamage(error: unknown): undefined {
  if (!(error instanceof SnapshotError)) throw error;
  return undefined;
}
