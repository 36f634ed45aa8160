import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { LEASE_NAME } from '../admission/guard-rights.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface LeaderDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where the Lease lives. */
  readonly namespace: string;
  /** Of this process, unlike any other's, also after a restart. */
  readonly identity: string;
  readonly name?: string;
  readonly timing?: LeaderTiming;
}

/** Milliseconds. */
export interface LeaderTiming {
  /** Others wait this long after the last renewal they saw. */
  readonly leaseMs: number;
  /** A leader that could not renew for this long leads no more; less than the lease, so that there are never two. */
  readonly renewMs: number;
  readonly retryMs: number;
}

export interface Leadership {
  isLeader(): boolean;
  /** Told of every change from now on; gives the function that ends that. */
  onChange(listener: (leads: boolean) => void): () => void;
  /** Gives the lease back, so that another replica takes over at once. */
  stop(): Promise<void>;
}

const TIMING: LeaderTiming = { leaseMs: 15_000, renewMs: 10_000, retryMs: 2000 };

const leaseSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  spec: z
    .looseObject({
      holderIdentity: z.string().nullish(),
      leaseDurationSeconds: z.number().nullish(),
      leaseTransitions: z.number().nullish(),
    })
    .optional(),
});
type Lease = z.infer<typeof leaseSchema>;

/** Leads without having to ask anybody: for a guard that is alone by its nature. */
export const ALONE: Leadership = { isLeader: () => true, onChange: () => () => undefined, stop: async () => undefined };

/**
 * Elects one of several replicas by a Lease, as the controllers of Kubernetes do: whoever holds it renews it; when its
 * version stands still for the length of the lease, by our own clock, the next one takes it. Never throws; without the
 * API server nobody leads.
 */
export function createLeaderElection(deps: LeaderDeps): Leadership {
  const { client, clock, logger, identity, namespace } = deps;
  const { leaseMs, renewMs, retryMs } = deps.timing ?? TIMING;
  const collection = `/apis/coordination.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/leases`;
  const name = deps.name ?? LEASE_NAME;
  const path = `${collection}/${name}`;
  const stopping = new AbortController();
  const listeners = new Set<(leads: boolean) => void>();
  let seen: { version: string; at: number } | undefined;
  let renewedAt: number | undefined;
  let leads = false;
  let deadline: NodeJS.Timeout | undefined;

  function isLeader(): boolean {
    return leads && renewedAt !== undefined && clock.now() - renewedAt < renewMs;
  }
  function become(now: boolean): void {
    if (leads === now) return;
    leads = now;
    logger.info({ identity }, now ? 'leads the guards of this cluster' : 'leads no more');
    for (const listener of listeners) listener(now);
  }
  function renewed(startedAt: number, version: string): void {
    renewedAt = startedAt;
    seen = { version, at: clock.now() };
    clearTimeout(deadline);
    deadline = setTimeout(() => become(false), renewMs);
    deadline.unref();
    become(true);
  }

  async function tryOnce(): Promise<void> {
    const startedAt = clock.now();
    const lease = await read();
    if (lease === undefined) {
      const made = await client.create(collection, {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name, namespace },
        spec: { ...held(startedAt), acquireTime: microTime(startedAt), leaseTransitions: 0 },
      });
      return renewed(startedAt, leaseSchema.parse(made).metadata.resourceVersion);
    }
    const { resourceVersion } = lease.metadata;
    if (seen?.version !== resourceVersion) seen = { version: resourceVersion, at: startedAt };
    const holder = lease.spec?.holderIdentity ?? '';
    if (holder !== identity) {
      become(false);
      const length = (lease.spec?.leaseDurationSeconds ?? leaseMs / 1000) * 1000;
      if (holder !== '' && startedAt - seen.at < length) return;
    }
    const taken =
      holder === identity
        ? {}
        : { acquireTime: microTime(startedAt), leaseTransitions: (lease.spec?.leaseTransitions ?? 0) + 1 };
    const patch = { metadata: { resourceVersion }, spec: { ...held(startedAt), ...taken } };
    const done = leaseSchema.parse(await client.patch(path, patch));
    renewed(startedAt, done.metadata.resourceVersion);
  }
  function held(at: number): object {
    return {
      holderIdentity: identity,
      leaseDurationSeconds: Math.max(1, Math.ceil(leaseMs / 1000)),
      renewTime: microTime(at),
    };
  }
  async function read(): Promise<Lease | undefined> {
    try {
      return leaseSchema.parse(await client.get(path));
    } catch (error) {
      if (error instanceof KubernetesError && error.code === 'not_found') return undefined;
      throw error;
    }
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      await tryOnce().catch((error: unknown) => {
        // Somebody else was faster: that is how an election ends.
        if (error instanceof KubernetesError && error.code === 'conflict') return;
        logger.warn({ problem: messageOf(error) }, 'the lease of the guards could not be read or renewed');
      });
      if (!isLeader()) become(false);
      await delay(retryMs, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    isLeader,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async stop() {
      stopping.abort();
      await running;
      clearTimeout(deadline);
      const version = isLeader() ? seen?.version : undefined;
      become(false);
      if (version === undefined) return;
      const released = {
        metadata: { resourceVersion: version },
        spec: { holderIdentity: '', leaseDurationSeconds: 1 },
      };
      await client.patch(path, released).catch((error: unknown) => {
        logger.warn({ problem: messageOf(error) }, 'the lease could not be given back: it ends by itself');
      });
    },
  };
}

/** The form a Lease wants: exactly six digits after the point. */
function microTime(epochMs: number): string {
  return new Date(epochMs).toISOString().replace('Z', '000Z');
}
