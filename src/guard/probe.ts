import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { PROBE_LABEL, probeWords } from '../admission/probe-answer.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

export interface ProbeDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Must be one that the webhook is asked about. */
  readonly namespace: string;
  /** Milliseconds between probes, and after one that did not come back. */
  readonly everyMs?: number;
  readonly retryMs?: number;
  onResult?(result: ProbeResult): void;
}

/**
 * `answered`: the request came through the API server to a guard and back. `open`: the API server let it pass without a
 * guard. `closed`: it could not ask a guard and refused. `unknown`: the API server said something else, or nothing.
 */
export interface ProbeResult {
  readonly outcome: 'answered' | 'open' | 'closed' | 'unknown';
  /** When it was sent, epoch ms. */
  readonly at: number;
  /** One sentence, unless it was answered. */
  readonly problem?: string;
}

export interface Probe {
  last(): ProbeResult | undefined;
  /** When a probe was last answered, epoch ms. */
  provenAt(): number | undefined;
  /** One sentence when requests do not come through, for readiness. */
  problem(): string | undefined;
  stop(): Promise<void>;
}

const EVERY_MS = 30_000;
const RETRY_MS = 2000;
/** One probe that gets lost is no trouble yet. */
const LATE_AFTER = 3;

/**
 * Proves the whole chain (API server, Service, network, certificate, webhook) all the time: a dry run of an object that
 * the guard must refuse, with a number that only its answer to this probe carries. Nothing is ever stored: an API server
 * that asks nobody answers a dry run without keeping it.
 */
export function startProbe(deps: ProbeDeps): Probe {
  const { clock, logger } = deps;
  const everyMs = deps.everyMs ?? EVERY_MS;
  const startedAt = clock.now();
  const stopping = new AbortController();
  let last: ProbeResult | undefined;
  let provenAt: number | undefined;

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      const result = await probe(deps);
      if (stopping.signal.aborted) return;
      if (result.outcome === 'answered') provenAt = result.at;
      else if (result.problem !== last?.problem) logger.warn({ problem: result.problem }, 'a probe was not answered');
      last = result;
      deps.onResult?.(result);
      const wait = result.outcome === 'answered' ? everyMs : (deps.retryMs ?? RETRY_MS);
      await delay(wait, undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }
  const running = run();

  return {
    last: () => last,
    provenAt: () => provenAt,
    problem() {
      const age = clock.now() - (provenAt ?? startedAt);
      if (last && last.outcome !== 'answered' && (provenAt === undefined || last.outcome === 'open'))
        return last.problem;
      if (age <= everyMs * LATE_AFTER) return undefined;
      return `no probe came through the API server for ${Math.round(age / 1000)} s: ${last?.problem ?? 'no answer'}`;
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

/** Sends one probe. Never throws. */
export async function probe({ client, clock, namespace }: ProbeDeps): Promise<ProbeResult> {
  const at = clock.now();
  const number = randomBytes(16).toString('hex');
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/podtemplates?dryRun=All`;
  try {
    await client.create(path, probeObject(number, namespace));
  } catch (error) {
    const message = messageOf(error);
    if (message.includes(probeWords(number))) return { outcome: 'answered', at };
    if (/failed calling webhook/.test(message)) {
      return { outcome: 'closed', at, problem: `the API server cannot ask the guard: ${message}` };
    }
    const missing = error instanceof KubernetesError && error.code === 'not_found';
    const problem = missing
      ? `the namespace ${namespace} of the probe does not exist`
      : `the probe in namespace ${namespace} was not answered by a guard: ${message}`;
    return { outcome: 'unknown', at, problem };
  }
  return {
    outcome: 'open',
    at,
    problem:
      `the API server let a probe in namespace ${namespace} pass without asking a guard: the webhook is not reachable, ` +
      'not configured, or does not cover this namespace',
  };
}

/** A kind without effect, so that the guard needs no right to create pods; its image cannot exist anywhere. */
function probeObject(number: string, namespace: string): object {
  const labels = { [PROBE_LABEL]: number };
  const containers = [{ name: 'probe', image: `breakwater.invalid/probe:${number}` }];
  return {
    apiVersion: 'v1',
    kind: 'PodTemplate',
    metadata: { name: `breakwater-probe-${number.slice(0, 12)}`, namespace, labels },
    template: { metadata: { labels }, spec: { containers } },
  };
}
