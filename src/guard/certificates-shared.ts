import { readWebhookBundles } from '../audit/webhook-bundle.ts';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { endProblem, type GuardCertificates } from './certificates.ts';
import { type CertificateSecret, publish, type StoredCertificates } from './certificates-secret.ts';
import {
  bundleOf,
  type CertificateState,
  certificateId,
  finished,
  firstState,
  phaseOf,
  renewed,
  switched,
} from './certificates-state.ts';
import type { Replica } from './replicas.ts';

export interface SharedCertificatesDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly secret: CertificateSecret;
  /** DNS names and IP addresses under which the webhook is reached. */
  readonly hosts: readonly string[];
  /** All replicas, ours too. */
  replicas(): Promise<readonly Replica[]>;
  readonly timing?: RotationTiming;
}

/** Milliseconds. */
export interface RotationTiming {
  /** How long what was observed must have been so before the next phase: every API server has taken it up by then. */
  readonly settleMs: number;
  /** A replica of which nothing was heard for longer is gone; it left the Service long before. */
  readonly goneMs: number;
}

const TIMING: RotationTiming = { settleMs: 30_000, goneMs: 300_000 };
const ATTEMPTS = 5;

/**
 * Certificates that all replicas share through a Secret. No replica leads: each looks at the same objects, does what is
 * due next, and a conflict means that another one did it. A new certificate is served only when all webhook
 * configurations have trusted its authority for a while, and the old authority goes only when all replicas that live
 * have served the new certificate for a while. Throws `KubernetesError` and `GuardCertificateError`.
 */
export async function openSharedCertificates(deps: SharedCertificatesDeps): Promise<GuardCertificates> {
  const { client, clock, logger, secret, hosts } = deps;
  const { settleMs, goneMs } = deps.timing ?? TIMING;
  let held = await readOrMake(undefined);
  let trouble: string | undefined;
  /** Since when the next phase could begin, and which one that is. */
  let waiting: { readonly for: string; readonly since: number } | undefined;
  await step();

  /** A Secret that was deleted under us is put back: new certificates at once would be strangers to everybody. */
  async function readOrMake(kept: CertificateState | undefined): Promise<StoredCertificates> {
    for (let attempt = 1; ; attempt += 1) {
      const found = await secret.read();
      if (found) return found;
      try {
        return await secret.create(kept ?? (await firstState(hosts, clock.now())));
      } catch (error) {
        if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      }
    }
  }

  async function step(): Promise<void> {
    // First the configurations, then the state: see `publish`.
    const configurations = await readWebhookBundles(client);
    take(await readOrMake(held.state));
    const { trusted, problem } = await publish(client, configurations, held.state);
    if (problem !== undefined && problem !== trouble) {
      logger.error({ problem }, 'the authorities of the webhook could not be published');
    }
    trouble = trusted ? undefined : problem;
    const after = await advance(trusted);
    if (after) await write(after);
  }

  function take(now: StoredCertificates): void {
    const before = certificateId(held.state.serving.leaf.cert);
    held = now;
    const after = certificateId(now.state.serving.leaf.cert);
    if (after !== before) logger.info({ before, after, phase: phaseOf(now.state) }, 'serves another certificate');
  }

  /** The state after the next phase, when that may begin. */
  async function advance(trusted: boolean): Promise<CertificateState | undefined> {
    const { state } = held;
    const phase = phaseOf(state);
    if (phase === 'stable') {
      waiting = undefined;
      return renewed(state, hosts, clock.now());
    }
    const ready = phase === 'publishing' ? trusted : trusted && (await allServe(state));
    const goal = `${phase} ${certificateId((state.next ?? state.serving).leaf.cert)}`;
    if (!ready || waiting?.for !== goal) waiting = ready ? { for: goal, since: clock.now() } : undefined;
    if (waiting === undefined || clock.now() - waiting.since < settleMs) return undefined;
    return phase === 'publishing' ? switched(state) : finished(state);
  }

  async function allServe({ serving }: CertificateState): Promise<boolean> {
    const wanted = certificateId(serving.leaf.cert);
    const live = (await deps.replicas()).filter((one) => !one.stopped && one.silentMs < goneMs);
    return live.length > 0 && live.every((one) => one.serves === wanted);
  }

  async function write(state: CertificateState): Promise<void> {
    try {
      take(await secret.replace(held, state));
      logger.info({ phase: phaseOf(state) }, 'rotation of the webhook certificates');
    } catch (error) {
      if (!isConflict(error)) throw error;
    }
    waiting = undefined;
  }

  return {
    tls: () => ({ cert: held.state.serving.leaf.cert, key: held.state.serving.leaf.key }),
    serves: () => certificateId(held.state.serving.leaf.cert),
    caBundle: () => bundleOf(held.state),
    endsAt: () => held.state.serving.leaf.notAfter,
    async step() {
      try {
        await step();
      } catch (error) {
        trouble = `the certificates of the webhook could not be looked after: ${messageOf(error)}`;
        throw error;
      }
    },
    busy: () => phaseOf(held.state) !== 'stable',
    problem: () => trouble ?? endProblem(held.state.serving.leaf.notAfter, clock.now()),
  };
}

function isConflict(error: unknown): boolean {
  return error instanceof KubernetesError && error.code === 'conflict';
}
