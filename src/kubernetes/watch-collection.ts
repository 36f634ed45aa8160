import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { KubernetesError } from './errors.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { type ListedObject, listObjects } from './list-pages.ts';
import { acceptFor, type ObjectReader, readEvent } from './object-forms.ts';
import { watchFrames } from './watch-frames.ts';

export interface CollectionObserver {
  /** Everything there is now; what is not in it is gone. */
  reset(items: readonly ListedObject[]): void;
  changed(object: ListedObject): void;
  deleted(object: ListedObject): void;
}

/** Like `CollectionObserver`, for collections that are too large to be handed over as a whole. */
export interface StreamObserver<Item> {
  /** A list begins. What was there stays valid until `listEnds`. */
  listBegins(): void;
  listed(item: Item): void;
  /** What was not listed since `listBegins` is gone. A list that fails never ends. */
  listEnds(): void;
  changed(item: Item): void;
  deleted(item: Item): void;
}

export interface WatchedCollection {
  readonly path: string;
  /** Selectors, as query parameters. */
  readonly selection?: Readonly<Record<string, string>>;
  /** A collection whose kind the cluster does not know counts as empty, and is looked for again. */
  readonly absentIsEmpty?: boolean;
}

export interface CollectionWatch {
  /** When the API server was last heard of about this collection, epoch ms; undefined before the first list. */
  lastContact(): number | undefined;
  /** Why the last try failed, undefined while all is well. */
  failure(): string | undefined;
  stop(): Promise<void>;
}

export interface WatchDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between tries after a failure. */
  readonly retryMs?: number;
}

/** Since the one was last heard of that was heard of longest ago, ms; undefined when one never was. */
export function oldestContact(watches: Iterable<CollectionWatch>, clock: Clock): number | undefined {
  let oldest = clock.now();
  for (const watch of watches) {
    const contact = watch.lastContact();
    if (contact === undefined) return undefined;
    oldest = Math.min(oldest, contact);
  }
  return clock.now() - oldest;
}

/** The server ends a watch after this long; a new one is a sign of life, so what we hold is never older unnoticed. */
const WATCH_SECONDS = 20;
/** A connection that says nothing for longer, not even its end, is dead (networks lose connections silently). */
const IDLE_MS = 26_000;
const RETRY_MS = 2000;
const SHORTEST_WATCH_MS = 1000;
/** A server that was set back to an older state may refuse our version for ever: then only a list helps. */
const RESUMED_TRIES = 3;

const WHOLE: ObjectReader<ListedObject> = { json: (object) => object };

/** Lists a collection, then follows its changes for ever: bookmarks, a new list after 410, new tries after failures. */
export function watchCollection(
  deps: WatchDeps,
  collection: WatchedCollection,
  observer: CollectionObserver,
): CollectionWatch {
  let items: ListedObject[] = [];
  return watchObjects(deps, collection, WHOLE, {
    listBegins() {
      items = [];
    },
    listed: (item) => void items.push(item),
    listEnds() {
      observer.reset(items);
      items = [];
    },
    changed: (item) => observer.changed(item),
    deleted: (item) => observer.deleted(item),
  });
}

/** The same, object by object as `reader` reads them. A broken watch goes on where it was; only 410 costs a new list. */
export function watchObjects<Item>(
  deps: WatchDeps,
  { path, selection = {}, absentIsEmpty = false }: WatchedCollection,
  reader: ObjectReader<Item>,
  observer: StreamObserver<Item>,
): CollectionWatch {
  const stopping = new AbortController();
  let contact: number | undefined;
  let failure: string | undefined;
  /** Where to go on; undefined when only a list helps. */
  let version: string | undefined;
  let broken = 0;

  async function list(): Promise<void> {
    observer.listBegins();
    const listed = await listObjects(deps.client, path, selection, reader, (item) => {
      if (stopping.signal.aborted) throw new KubernetesError('unreachable', 'the listing was stopped');
      observer.listed(item);
    });
    observer.listEnds();
    version = listed;
    heard();
  }

  function heard(): void {
    contact = deps.clock.now();
    failure = undefined;
    broken = 0;
  }

  async function follow(from: string): Promise<void> {
    const idle = new AbortController();
    let timer = setTimeout(() => idle.abort(), IDLE_MS);
    const query = {
      ...selection,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_SECONDS),
    };
    const signal = AbortSignal.any([stopping.signal, idle.signal]);
    try {
      const { mediaType, body } = await deps.client.read(path, {
        query,
        accept: acceptFor(reader, true),
        signal,
        endless: true,
      });
      heard();
      for await (const frame of watchFrames(body, mediaType)) {
        clearTimeout(timer);
        timer = setTimeout(() => idle.abort(), IDLE_MS);
        version = deliver(frame, mediaType) || version;
        heard();
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Hands one event on and gives its version. Throws `gone` and other errors the server sends. */
  function deliver(frame: Buffer, mediaType: string): string {
    const event = readEvent(frame, mediaType, reader);
    if (event.type === 'ERROR')
      throw new KubernetesError(event.code === 410 ? 'gone' : 'unexpected_reply', event.message);
    if (event.type === 'DELETED') observer.deleted(event.item);
    else if (event.type !== 'BOOKMARK') observer.changed(event.item);
    return event.version;
  }

  async function pause(): Promise<void> {
    await delay(deps.retryMs ?? RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (version === undefined) await list();
        if (version === undefined) continue;
        const startedAt = deps.clock.now();
        await follow(version);
        // Something between us and the API server may end every watch at once.
        if (deps.clock.now() - startedAt < SHORTEST_WATCH_MS) await pause();
      } catch (error) {
        if (stopping.signal.aborted) return;
        const code = error instanceof KubernetesError ? error.code : undefined;
        if (absentIsEmpty && code === 'not_found') {
          version = undefined;
          observer.listBegins();
          observer.listEnds();
          heard();
          await pause();
          continue;
        }
        broken += 1;
        // A connection that broke has lost nothing; after anything that was not understood something may be missing.
        if (code === 'gone' || code === 'unexpected_reply' || broken > RESUMED_TRIES) version = undefined;
        if (code === 'gone' && broken === 1) continue;
        failure = messageOf(error);
        deps.logger.debug({ path, failure }, 'watch failed');
        await pause();
      }
    }
  }

  const running = run();
  return {
    lastContact: () => contact,
    failure: () => failure,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}
