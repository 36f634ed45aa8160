import { z } from 'zod';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { jsonOf } from '../platform/json-object.ts';

export interface ReplicaBoardDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly namespace: string;
  /** Of this replica: the name of its pod. Letters, digits, `-`, `_`, `.`. */
  readonly id: string;
}

/** What a replica says of itself. */
export interface ReplicaReport {
  /** Which certificate it serves to new connections. */
  readonly serves: string;
  /** When a request last came through the API server to a guard and back, epoch ms. */
  readonly provenAt?: number;
}

export interface Replica extends ReplicaReport {
  readonly id: string;
  /** By its own clock, epoch ms. */
  readonly at: number;
  /** It said good-bye. */
  readonly stopped: boolean;
  /** How long nothing was heard of it, by our clock: 0 when it is seen for the first time. */
  readonly silentMs: number;
}

/** Where the replicas of a guard tell each other that they are there: one ConfigMap, one key each. */
export interface ReplicaBoard {
  /** Writes our line. Throws `KubernetesError`. */
  report(own: ReplicaReport): Promise<void>;
  /** All lines, ours too, oldest first. Throws `KubernetesError`. */
  read(): Promise<readonly Replica[]>;
  /** Our last line: it is not waited for any more. Throws `KubernetesError`. */
  leave(own: ReplicaReport): Promise<void>;
}

const REPLICAS_NAME = 'breakwater-guard-replicas';
/** A pod that is gone for longer leaves the board. */
const FORGOTTEN_MS = 3_600_000;

const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const lineSchema = z.object({
  serves: z.string(),
  at: moment,
  provenAt: moment.optional(),
  stopped: z.boolean().optional(),
});
const boardSchema = z.looseObject({ data: z.record(z.string(), z.string()).nullish() });

export function createReplicaBoard({ client, clock, namespace, id }: ReplicaBoardDeps): ReplicaBoard {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  const path = `${collection}/${REPLICAS_NAME}`;
  const heard = new Map<string, { text: string; at: number }>();

  async function write(data: Readonly<Record<string, string | null>>): Promise<void> {
    try {
      await client.patch(path, { data });
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.code !== 'not_found') throw error;
      await make(data);
    }
  }
  async function make(data: Readonly<Record<string, string | null>>): Promise<void> {
    const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: REPLICAS_NAME, namespace }, data };
    try {
      await client.create(collection, object);
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.code !== 'conflict') throw error;
      await client.patch(path, { data });
    }
  }
  function line(own: ReplicaReport, stopped: boolean): string {
    return JSON.stringify({
      serves: own.serves,
      at: new Date(clock.now()).toISOString(),
      ...(own.provenAt === undefined ? {} : { provenAt: toRfc3339(own.provenAt) }),
      ...(stopped ? { stopped } : {}),
    });
  }

  return {
    report: (own) => write({ [id]: line(own, false) }),
    leave: (own) => write({ [id]: line(own, true) }),
    async read() {
      const now = clock.now();
      const replicas = linesOf(await readBoard(client, path)).map(({ key, text, said }) => {
        const last = heard.get(key);
        if (last?.text !== text) heard.set(key, { text, at: now });
        return { id: key, ...said, silentMs: last?.text === text ? now - last.at : 0 };
      });
      const sorted = replicas.sort((a, b) => a.at - b.at);
      // The latest line of all stays for ever: whoever starts next knows from it since when nobody was there.
      const gone = sorted.slice(0, -1).filter((one) => one.silentMs > FORGOTTEN_MS || now - one.at > 2 * FORGOTTEN_MS);
      if (gone.length > 0) await write(Object.fromEntries(gone.map((one) => [one.id, null])));
      return sorted.filter((one) => !gone.includes(one));
    },
  };
}

/** The lines of a board that somebody outside reads once. */
export async function readReplicas(
  client: KubernetesClient,
  namespace: string,
): Promise<readonly Omit<Replica, 'silentMs'>[]> {
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps/${REPLICAS_NAME}`;
  return linesOf(await readBoard(client, path)).map(({ key, said }) => ({ id: key, ...said }));
}

async function readBoard(client: KubernetesClient, path: string): Promise<Readonly<Record<string, string>>> {
  try {
    return boardSchema.parse(await client.get(path)).data ?? {};
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'not_found') return {};
    throw error;
  }
}

/** What cannot be read is no line: somebody else's key. */
function linesOf(data: Readonly<Record<string, string>>) {
  return Object.entries(data).flatMap(([key, text]) => {
    const parsed = lineSchema.safeParse(jsonOf(text));
    if (!parsed.success) return [];
    const { serves, at, provenAt, stopped = false } = parsed.data;
    return [{ key, text, said: { serves, at, stopped, ...(provenAt === undefined ? {} : { provenAt }) } }];
  });
}

/** Names of the replicas that have not stopped, and said something within so many ms. */
export function living(replicas: readonly Replica[], withinMs: number): string[] {
  return replicas.filter(({ stopped, silentMs }) => !stopped && silentMs < withinMs).map(({ id }) => id);
}
