import { randomUUID } from 'node:crypto';
import type { Config } from '../config.ts';
import { type AbsenceRecord, createAbsenceRecord } from '../guard/absence.ts';
import { createLeaderElection, type Leadership } from '../guard/leader.ts';
import { type Probe, type ProbeResult, startProbe } from '../guard/probe.ts';
import { createReplicaBoard, type ReplicaBoard } from '../guard/replicas.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import type { Logger } from '../platform/logger.ts';
import { awaySince } from './guard-presence.ts';

export interface ReplicaDeps {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly client: KubernetesClient;
  readonly id: string;
}

/** What a guard that is one of several does for and with the others. */
export interface ReplicaParts {
  readonly board: ReplicaBoard;
  readonly absence: AbsenceRecord;
  /** The first heartbeat; what was on the board before tells since when nobody was there. */
  begin(serves: string): Promise<void>;
  lead(): Leadership;
  startProbing(): void;
  stopProbing(): Promise<void>;
  /** When a request last came through the API server, epoch ms. */
  provenAt(): number | undefined;
  lastProbe(): ProbeResult | undefined;
  /** One sentence when requests do not come through. */
  problem(): string | undefined;
}

/** Opens them; nothing runs before it is begun. */
export async function openReplica({ config, clock, logger, client, id }: ReplicaDeps): Promise<ReplicaParts> {
  const namespace = config.guardNamespace;
  const board = createReplicaBoard({ client, clock, namespace, id });
  const absence = createAbsenceRecord({ client, clock, namespace, id });
  const everyMs = config.guardHeartbeatSeconds * 1000;
  const before = await board.read();
  const since = awaySince(before, id, clock.now(), everyMs);
  if (since !== undefined) {
    logger.warn({ since: new Date(since).toISOString() }, 'no guard answered in this cluster for a while');
    absence.away(since);
  }
  let probe: Probe | undefined;
  /** Before the first of ours, what others proved counts. */
  const provenBefore = Math.max(...before.map((one) => one.provenAt ?? Number.NEGATIVE_INFINITY));

  function heed({ outcome, at }: ProbeResult): void {
    if (outcome === 'answered') absence.back(at);
    else if (outcome === 'open') {
      const last = Math.max(probe?.provenAt() ?? provenBefore, provenBefore);
      if (Number.isFinite(last)) absence.away(last);
    }
  }

  return {
    board,
    absence,
    begin: (serves) => board.report({ serves }),
    lead: () => createLeaderElection({ client, clock, logger, namespace, identity: `${id}_${randomUUID()}` }),
    startProbing() {
      if (config.guardProbe === false) return absence.back(clock.now());
      probe = startProbe({ client, clock, logger, namespace: config.guardProbeNamespace, onResult: heed });
    },
    stopProbing: async () => probe?.stop(),
    provenAt: () => probe?.provenAt(),
    lastProbe: () => probe?.last(),
    problem: () => probe?.problem(),
  };
}
