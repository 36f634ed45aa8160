import { clearTimeout, setTimeout } from 'node:timers';
import { KubernetesError } from '../../kubernetes/errors.ts';
import type { KubernetesClient } from '../../kubernetes/kubernetes-client.ts';
import { breathe } from '../../platform/breathe.ts';
import type { Clock } from '../../platform/clock.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Logger } from '../../platform/logger.ts';
import { cut, join } from './chunks.ts';
import { type Contents, createSnapshotMaps, type Manifest } from './config-maps.ts';
import { SnapshotError } from './errors.ts';

/** Something that is kept as a whole. No secrets: whoever may read ConfigMaps of the namespace reads it. */
export interface SnapshotSection {
  /** Plain JSON. */
  save(): unknown;
  /** What `save` gave, or whatever somebody put in its place: to be checked. Throws for what cannot be taken. */
  load(value: unknown): void;
  /** Equal as long as `save` would give the same; without it what it gives is compared. */
  version?(): string | number;
}

/** Something that is kept in parts, so that a change is written alone. */
export interface SnapshotParts {
  parts(): readonly { readonly key: string; readonly version: string | number; save(): unknown }[];
  /** All parts that were written, by key. Throws for what cannot be taken. */
  load(parts: ReadonlyMap<string, unknown>): void;
}

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
const READ_ATTEMPTS = 3;
const ORPHANS_EVERY_MS = 3600_000;

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
  let orphansAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<{ chunks: number; bytes: number }> | undefined;

  async function write(): Promise<{ chunks: number; bytes: number }> {
    if (!deps.isLeader()) {
      // Another replica writes now: what it leaves may be different.
      written = new Map();
      return { chunks: 0, bytes: 0 };
    }
    const parts = [...registered].flatMap(([name, section]) =>
      section.parts().map(({ key, ...part }) => ({ name: `${name}/${key}`, ...part })),
    );
    if (parts.every(({ name, version }) => written.get(name)?.version === version) && parts.length === written.size)
      return { chunks: 0, bytes: 0 };
    const held = await maps.readManifest();
    const known = new Set(held?.manifest ? chunksOf(held.manifest.current) : []);
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
    if (!before || JSON.stringify(before.parts) !== JSON.stringify(current.parts)) {
      await maps.writeManifest({ format: 1, current, ...(before ? { previous: before } : {}) }, held?.version);
      await removeOld(held?.manifest, current);
    }
    written = next;
    return { chunks: count, bytes };
  }

  /** The pieces of the snapshot before the one before, and now and then whatever an interrupted write has left. */
  async function removeOld(old: Manifest | undefined, current: Contents): Promise<void> {
    const needed = new Set([...chunksOf(current), ...(old ? chunksOf(old.current) : [])]);
    let doubtful = old?.previous ? chunksOf(old.previous) : [];
    if (clock.now() - orphansAt > ORPHANS_EVERY_MS) {
      doubtful = await maps.listChunks();
      orphansAt = clock.now();
    }
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

  async function read(contents: Contents): Promise<Map<string, unknown>> {
    const values = new Map<string, unknown>();
    for (const [name, chunks] of Object.entries(contents.parts)) {
      // Nobody asks for what no section of this version keeps.
      if (!registered.has(sectionOf(name))) continue;
      values.set(name, await join(await Promise.all(chunks.map((chunk) => maps.readChunk(chunk)))));
    }
    return values;
  }

  /** The newest that is whole; undefined when there is none. */
  async function readWhole(): Promise<Map<string, unknown> | 'absent' | undefined> {
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
        return await read(manifest.current);
      } catch (error) {
        if (!(error instanceof SnapshotError)) throw error;
        problem = error.message;
        if (error.code !== 'replaced') break;
      }
    }
    const previous = manifest?.previous;
    const before = previous && (await read(previous).catch(ignoreDamage));
    logger.error(
      { problem, ...(before ? { used: 'the one before' } : {}) },
      before
        ? 'the snapshot in the cluster is damaged; the one before is used'
        : 'the snapshot in the cluster is ignored',
    );
    return before;
  }

  return {
    section(name, section) {
      registered.set(name, wholeSection(section));
    },
    inParts(name, parts) {
      registered.set(name, parts);
    },
    async load() {
      const values = await readWhole();
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

/** A section without a version is told apart by what it gives. */
function wholeSection(section: SnapshotSection): SnapshotParts {
  let count = 0;
  let last: string | undefined;
  const compared = (): number => {
    const now = JSON.stringify(section.save());
    if (now !== last) count += 1;
    last = now;
    return count;
  };
  return {
    parts: () => [{ key: '', version: section.version?.() ?? compared(), save: () => section.save() }],
    load(parts) {
      if (parts.has('')) section.load(parts.get(''));
    },
  };
}

function sectionOf(part: string): string {
  return part.slice(0, Math.max(0, part.lastIndexOf('/')));
}

function chunksOf({ parts }: Contents): string[] {
  return Object.values(parts).flat();
}

function ignoreDamage(error: unknown): undefined {
  if (!(error instanceof SnapshotError)) throw error;
  return undefined;
}
