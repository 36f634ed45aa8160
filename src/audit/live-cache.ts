import type { LiveWorkload, LiveWorkloads } from '../constraints/live-workloads.ts';
import { AUDITED_KINDS, type AuditedKind } from '../constraints/paths.ts';
import type { ObjectReader } from '../kubernetes/object-forms.ts';
import {
  type CollectionWatch,
  oldestContact,
  type StreamObserver,
  type WatchDeps,
  watchObjects,
} from '../kubernetes/watch-collection.ts';
import type { HeldWorkload } from './held-workload.ts';
import { jsonReader } from './live-cache-json.ts';
import { protobufReader } from './live-cache-protobuf.ts';
import { createSharedParts, sweepSharedParts } from './live-cache-shared.ts';

/** A kind whose objects cannot be seen, or not any more, and why. */
export interface UnseenKind {
  readonly kind: string;
  readonly reason: string;
}

/** Hears of every change. Calls come while a reply is being read: do little, and later. */
export interface LiveCacheListener {
  changed(now: HeldWorkload, before: HeldWorkload | undefined): void;
  removed(gone: HeldWorkload): void;
}

/** Everything in the cluster that runs pods, kept current by watches. */
export interface LiveCache extends LiveWorkloads {
  held(uid: string): HeldWorkload | undefined;
  /** The last in the chain of living controllers, as the cache holds it. */
  heldTopOf(of: HeldWorkload): HeldWorkload;
  all(): Iterable<HeldWorkload>;
  readonly size: number;
  /** Calls back from now on; gives what ends it. */
  listen(listener: LiveCacheListener): () => void;
  /** Resolves when every kind was listed, or failed to be. */
  settled(): Promise<void>;
  /** True once every kind was listed. */
  complete(): boolean;
  /** Kinds that were never listed, or not heard of for too long. */
  unseen(): UnseenKind[];
  /** Since the API server was last heard of about the kind it is longest ago for; undefined before all were listed. */
  ageMs(): number | undefined;
  stop(): Promise<void>;
}

export interface LiveCacheDeps extends WatchDeps {
  /** Beside the kinds that run pods by themselves; default those alone. */
  readonly kinds?: readonly AuditedKind[];
}

/** A watch gives a sign of life every 20 s. */
const STALE_MS = 30_000;
/** Chains of owners are short; a longer one is a circle. */
const LONGEST_CHAIN = 16;
const LOOK_MS = 250;

/** Lists and watches every kind that runs pods, from the moment it is made. */
export function createLiveCache(deps: LiveCacheDeps): LiveCache {
  const kinds = deps.kinds ?? AUDITED_KINDS;
  const parts = createSharedParts();
  const workloads = new Map<string, HeldWorkload>();
  const listeners = new Set<LiveCacheListener>();
  const listed = new Set<AuditedKind>();
  const watches = new Map<AuditedKind, CollectionWatch>();
  const { promise: settling, resolve: settle } = Promise.withResolvers<void>();

  function keep(now: HeldWorkload): void {
    if (now.uid === '') return;
    const before = workloads.get(now.uid);
    workloads.set(now.uid, now);
    for (const listener of listeners) listener.changed(now, before);
  }
  function remove(uid: string): void {
    const gone = workloads.get(uid);
    if (gone === undefined) return;
    workloads.delete(uid);
    for (const listener of listeners) listener.removed(gone);
  }

  function observer(of: AuditedKind): StreamObserver<HeldWorkload> {
    let list = 0;
    return {
      listBegins() {
        list += 1;
      },
      listed(item) {
        item.seenIn = list;
        keep(item);
      },
      listEnds() {
        for (const one of workloads.values()) if (one.of === of && one.seenIn !== list) remove(one.uid);
        listed.add(of);
        sweepSharedParts(parts, workloads.values());
        settleIfKnown();
      },
      changed(item) {
        item.seenIn = list;
        keep(item);
      },
      deleted: (item) => remove(item.uid),
    };
  }

  function settleIfKnown(): void {
    if (kinds.every((kind) => listed.has(kind) || watches.get(kind)?.failure() !== undefined)) settle();
  }

  for (const of of kinds) {
    const protobuf = protobufReader(of, parts);
    const reader: ObjectReader<HeldWorkload> = { json: jsonReader(of, parts), ...(protobuf ? { protobuf } : {}) };
    watches.set(of, watchObjects(deps, { path: of.path }, reader, observer(of)));
  }
  // A failure to list shows in its watch alone; and what changes go by may leave parts behind that nobody uses.
  const looking = setInterval(() => {
    settleIfKnown();
    sweepSharedParts(parts, workloads.values());
  }, LOOK_MS);
  looking.unref();

  function heldTopOf(of: HeldWorkload): HeldWorkload {
    let top = of;
    for (let step = 0; step < LONGEST_CHAIN; step += 1) {
      const owner = top.owner && workloads.get(top.owner.uid);
      if (owner === undefined || owner === of) return top;
      top = owner;
    }
    return top;
  }

  function unseen(): UnseenKind[] {
    return kinds.flatMap((kind) => {
      const watch = watches.get(kind);
      const why = watch?.failure() ?? 'no answer from the API server';
      const contact = watch?.lastContact();
      if (contact === undefined || !listed.has(kind)) return [{ kind: kind.kind, reason: why }];
      const age = deps.clock.now() - contact;
      return age > STALE_MS
        ? [{ kind: kind.kind, reason: `not heard of for ${Math.round(age / 1000)} s: ${why}` }]
        : [];
    });
  }

  return {
    workload: (uid) => asLiveWorkload(workloads.get(uid)),
    held: (uid) => workloads.get(uid),
    topOf(uid) {
      const held = workloads.get(uid);
      return held && asLiveWorkload(heldTopOf(held));
    },
    heldTopOf,
    all: () => workloads.values(),
    get size() {
      return workloads.size;
    },
    listen(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    settled: () => settling,
    complete: () => listed.size === kinds.length,
    unseen,
    ageMs: () => oldestContact(watches.values(), deps.clock),
    problem() {
      const [first, ...others] = unseen();
      if (first === undefined) return undefined;
      const more = others.length === 0 ? '' : ` (and ${others.length} more kinds)`;
      return `the workloads of the cluster are not all known: ${first.kind}: ${first.reason}${more}`;
    },
    async stop() {
      clearInterval(looking);
      await Promise.all([...watches.values()].map((watch) => watch.stop()));
    },
  };
}

function asLiveWorkload(held: HeldWorkload | undefined): LiveWorkload | undefined {
  if (held === undefined) return undefined;
  const { uid, apiVersion, kind, namespace, name, images, owner } = held;
  return { uid, apiVersion, kind, namespace, name, images, ...(owner ? { controller: owner } : {}) };
}
