import { clearTimeout, setTimeout } from 'node:timers';
import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { breathe } from '../../platform/breathe.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { cut, LARGEST_PART } from './chunks.ts';
import { type Contents, createSnapshotMaps, type Manifest } from './config-maps.ts';
import { readWhole } from './read-whole.ts';
import { type SnapshotParts, type SnapshotSection, sectionOf, wholeSection } from './sections.ts';

export interface SnapshotDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the ConfigMaps lie: the guard's own. */
  readonly namespace: string;
  /** Only then it writes. */
  isLeader(): boolean;
  /** Between two writes at least, ms; after large ones it is longer. */
  readonly everyMs?: number;
}

/** What guards of a cluster know, kept in the cluster for the next start. */
export interface Snapshot {
  section(name: string, section: SnapshotSection): void;
  inParts(name: string, parts: SnapshotParts): void;
  /** Gives what is kept to the sections registered so far. What is damaged is ignored, and said. Throws `KubernetesError`. */
  load(): Promise<'loaded' | 'absent' | 'ignored'>;
  /** Begins to write what has changed, every now and then. */
  start(): void;
  /** Writes now, if anything has changed. Gives how many pieces were new; 0 also when this replica does not lead. */
  write(): Promise<number>;
  /** Why the last write failed. */
  failure(): string | undefined;
  /** Writes a last time. */
  stop(): Promise<void>;
}

const EVERY_MS = 30_000;
/** Etcd keeps what was overwritten for minutes: much is written seldom. */
const BYTES_PER_SECOND = 50_000;
const LONGEST_MS = 600_000;
/** As often as this it is looked whether all pieces are there, and no others. */
const CHECK_EVERY_MS = 3600_000;

interface Written {
  readonly version: string | number;
  readonly chunks: readonly string[];
}

export function createSnapshot(deps: SnapshotDeps): Snapshot {
  const { clock, logger } = deps;
  const maps = createSnapshotMaps(deps.client, deps.namespace);
  const everyMs = deps.everyMs ?? EVERY_MS;
  const registered = new Map<string, SnapshotParts>();
  /** What this replica wrote last, by part. */
  let written = new Map<string, Written>();
  let failure: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let stopped = false;
  let checkedAt = Number.NEGATIVE_INFINITY;
  /** Pieces that were not what they were written as. */
  const damaged = new Set<string>();
  let underWay: Promise<{ chunks: number; bytes: number }> | undefined;

  function largestOf(part: string): number | undefined {
    const section = registered.get(sectionOf(part));
    return section && (section.largest ?? LARGEST_PART);
  }

  async function write(): Promise<{ chunks: number; bytes: number }> {
    if (!deps.isLeader()) {
      // Another replica writes now: what it leaves may be different.
      written = new Map();
      return { chunks: 0, bytes: 0 };
    }
    const parts = [...registered].flatMap(([name, section]) =>
      section.parts().map(({ key, ...part }) => ({ name: `${name}/${key}`, ...part })),
    );
    const isDue = clock.now() - checkedAt > CHECK_EVERY_MS;
    const isUnchanged =
      parts.length === written.size && parts.every(({ name, version }) => written.get(name)?.version === version);
    if (isUnchanged && !isDue) return { chunks: 0, bytes: 0 };
    const held = await maps.readManifest();
    const listed = isDue ? new Set(await maps.listChunks()) : undefined;
    const known = new Set(
      (held?.manifest ? chunksOf(held.manifest.current) : []).filter(
        (name) => !damaged.has(name) && listed?.has(name) !== false,
      ),
    );
    const next = new Map<string, Written>();
    let [count, bytes] = [0, 0];
    for (const { name, version, ...part } of parts) {
      const before = written.get(name);
      if (before?.version === version && before.chunks.every((chunk) => known.has(chunk))) {
        next.set(name, before);
        continue;
      }
      await breathe();
      const chunks = await cut(JSON.stringify(part.save()) ?? 'null');
      for (const chunk of chunks) {
        if (known.has(chunk.name)) continue;
        await maps.writeChunk(chunk);
        known.add(chunk.name);
        count += 1;
        bytes += chunk.bytes.byteLength;
      }
      next.set(name, { version, chunks: chunks.map(({ name: chunk }) => chunk) });
    }
    const current: Contents = {
      writtenAt: clock.now(),
      parts: Object.fromEntries([...next].map(([name, { chunks }]) => [name, [...chunks]])),
    };
    const before = held?.manifest?.current;
    const isNew = !before || JSON.stringify(before.parts) !== JSON.stringify(current.parts);
    if (isNew) await maps.writeManifest({ format: 1, current, ...(before ? { previous: before } : {}) }, held?.version);
    await removeOld(held?.manifest, current, { isNew, listed });
    if (isDue) checkedAt = clock.now();
    damaged.clear();
    written = next;
    return { chunks: count, bytes };
  }

  /** The pieces of the snapshot before the one before, and now and then whatever an interrupted write has left. */
  async function removeOld(
    old: Manifest | undefined,
    current: Contents,
    { isNew, listed }: { readonly isNew: boolean; readonly listed: ReadonlySet<string> | undefined },
  ): Promise<void> {
    const before = isNew ? old?.current : old?.previous;
    const needed = new Set([...chunksOf(current), ...(before ? chunksOf(before) : [])]);
    const doubtful = listed ?? (isNew && old?.previous ? chunksOf(old.previous) : []);
    for (const name of doubtful) if (!needed.has(name)) await maps.removeChunk(name);
  }

  function writeNow(): Promise<{ chunks: number; bytes: number }> {
    underWay ??= write()
      .then(
        (done) => {
          if (failure !== undefined) logger.info({}, 'the snapshot can be written again');
          failure = undefined;
          return done;
        },
        (error: unknown) => {
          // Another replica was faster: what it wrote is as good.
          const conflict = error instanceof KubernetesError && error.code === 'conflict';
          if (!conflict && failure === undefined)
            logger.warn({ problem: messageOf(error) }, 'the snapshot could not be written');
          failure = conflict ? undefined : messageOf(error);
          written = new Map();
          return { chunks: 0, bytes: 0 };
        },
      )
      .finally(() => {
        underWay = undefined;
      });
    return underWay;
  }

  function plan(ms: number): void {
    if (stopped) return;
    timer = setTimeout(() => {
      void writeNow().then(({ bytes }) =>
        plan(Math.min(LONGEST_MS, Math.max(everyMs, (bytes / BYTES_PER_SECOND) * 1000))),
      );
    }, ms);
    timer.unref();
  }

  return {
    section(name, section) {
      registered.set(name, wholeSection(section));
    },
    inParts(name, parts) {
      registered.set(name, parts);
    },
    async load() {
      const values = await readWhole({ maps, logger, largestOf, damaged });
      if (values === 'absent') return 'absent';
      if (!values) return 'ignored';
      let ignored = 0;
      for (const [name, section] of registered) {
        const own = [...values].filter(([part]) => sectionOf(part) === name);
        if (own.length === 0) continue;
        try {
          section.load(new Map(own.map(([part, value]) => [part.slice(name.length + 1), value])));
        } catch (error) {
          ignored += 1;
          logger.error({ section: name, problem: messageOf(error).slice(0, 500) }, 'a part of the snapshot is ignored');
        }
      }
      return ignored === 0 ? 'loaded' : 'ignored';
    },
    start: () => plan(everyMs),
    write: async () => (await writeNow()).chunks,
    failure: () => failure,
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await underWay;
      await writeNow();
    },
  };
}

function chunksOf({ parts }: Contents): string[] {
  return Object.values(parts).flat();
}
