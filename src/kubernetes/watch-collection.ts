import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { KubernetesError } from './errors.ts';
import type { KubernetesClient } from './kubernetes-client.ts';
import { type ListedObject, listPages } from './list-pages.ts';

export interface CollectionObserver {
  /** Everything there is now; what is not in it is gone. */
  reset(items: readonly ListedObject[]): void;
  changed(object: ListedObject): void;
  deleted(object: ListedObject): void;
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

/** The server ends a watch after this long; a new one is a sign of life, so what we hold is never older unnoticed. */
const WATCH_SECONDS = 15;
/** A connection that says nothing for longer, not even its end, is dead (networks lose connections silently). */
const IDLE_MS = 22_000;
const RETRY_MS = 2000;
const LONGEST_LINE = 8 * 1024 * 1024;

const eventSchema = z.looseObject({
  type: z.enum(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']),
  object: z.looseObject({
    code: z.number().optional(),
    message: z.string().optional(),
    metadata: z.looseObject({ resourceVersion: z.string().optional() }).optional(),
  }),
});

/** Lists a collection, then follows its changes for ever: bookmarks, a new list after 410, new tries after failures. */
export function watchCollection(
  deps: WatchDeps,
  { path, selection = {}, absentIsEmpty = false }: WatchedCollection,
  observer: CollectionObserver,
): CollectionWatch {
  const stopping = new AbortController();
  let contact: number | undefined;
  let failure: string | undefined;

  async function list(): Promise<string> {
    const items: ListedObject[] = [];
    let version = '';
    for await (const page of listPages(deps.client, path, selection)) {
      items.push(...page.items);
      version = page.resourceVersion;
    }
    observer.reset(items);
    return version;
  }

  function heard(): void {
    contact = deps.clock.now();
    failure = undefined;
  }

  /** One watch, from a version on; gives the version to go on from. */
  async function follow(from: string): Promise<string> {
    const idle = new AbortController();
    let timer = setTimeout(() => idle.abort(), IDLE_MS);
    const query = {
      ...selection,
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: from,
      timeoutSeconds: String(WATCH_SECONDS),
    };
    let version = from;
    try {
      const body = await deps.client.stream(path, query, AbortSignal.any([stopping.signal, idle.signal]));
      heard();
      for await (const line of lines(body)) {
        clearTimeout(timer);
        timer = setTimeout(() => idle.abort(), IDLE_MS);
        version = deliver(line, observer) ?? version;
        heard();
      }
    } finally {
      clearTimeout(timer);
    }
    return version;
  }

  async function run(): Promise<void> {
    let version: string | undefined;
    while (!stopping.signal.aborted) {
      try {
        if (version === undefined) {
          version = await list();
          heard();
        }
        version = await follow(version);
      } catch (error) {
        if (stopping.signal.aborted) return;
        const gone = error instanceof KubernetesError && error.code === 'gone';
        // Any failure starts with a fresh list: it is cheap here and can have missed nothing.
        version = undefined;
        if (gone) continue;
        if (absentIsEmpty && error instanceof KubernetesError && error.code === 'not_found') {
          observer.reset([]);
          heard();
          await delay(deps.retryMs ?? RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
          continue;
        }
        failure = messageOf(error);
        deps.logger.debug({ path, failure }, 'watch failed');
        await delay(deps.retryMs ?? RETRY_MS, undefined, { signal: stopping.signal }).catch(() => undefined);
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

/** Hands one event to the observer and gives its resource version. Throws `gone` and other errors the server sends. */
function deliver(line: string, observer: CollectionObserver): string | undefined {
  const parsed = eventSchema.safeParse(parseJson(line));
  if (!parsed.success) throw new KubernetesError('unexpected_reply', 'a watch event cannot be read');
  const { type, object } = parsed.data;
  switch (type) {
    case 'ERROR':
      throw new KubernetesError(
        object.code === 410 ? 'gone' : 'unexpected_reply',
        object.message ?? 'the watch failed',
      );
    case 'DELETED':
      observer.deleted(object);
      break;
    case 'ADDED':
    case 'MODIFIED':
      observer.changed(object);
      break;
    case 'BOOKMARK':
      break;
  }
  return object.metadata?.resourceVersion;
}

async function* lines(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const parts = rest.split('\n');
    rest = parts.pop() ?? '';
    if (rest.length > LONGEST_LINE) throw new KubernetesError('unexpected_reply', 'a watch event is too large');
    for (const part of parts) if (part !== '') yield part;
  }
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new KubernetesError('unexpected_reply', `a watch event is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
