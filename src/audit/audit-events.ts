import { createHash } from 'node:crypto';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { type Clock, toRfc3339 } from '../platform/clock.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import type { ReportedViolation } from './reported-violations.ts';

export interface AuditEvents {
  /** Makes an event for what is new: one for each constraint and owner at the top, however much is wrong with it. */
  tell(violations: readonly ReportedViolation[]): Promise<void>;
}

export interface EventDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Name of this replica. */
  readonly pod: string;
}

interface Matter {
  readonly about: ReportedViolation;
  readonly messages: string[];
}

/** Where everything is new, like in the first pass over a cluster, events help nobody; the reports have it all. */
const MOST_AT_ONCE = 200;
const LONGEST_NOTE = 1000;
const REASON = 'ImageNotAllowed';

/** Tells in events what audits find, once while it stands; what comes back or changes counts up. For the leader, opt-in. */
export function createAuditEvents({ client, clock, logger, pod }: EventDeps): AuditEvents {
  /** What was told, by constraint and owner. */
  let told = new Map<string, string>();
  return {
    async tell(violations) {
      const matters = mattersOf(violations);
      const fresh = [...matters].filter(([key, matter]) => told.get(key) !== matter.messages.join('\n'));
      const left = new Map([...matters].map(([key, { messages }]) => [key, messages.join('\n')]));
      let failed = 0;
      for (const [key, matter] of fresh.slice(0, MOST_AT_ONCE)) {
        await write(client, key, matter, clock.now(), pod).catch((error: unknown) => {
          failed += 1;
          left.delete(key);
          logger.debug({ problem: messageOf(error) }, 'event could not be written');
        });
      }
      const more = fresh.length - MOST_AT_ONCE;
      if (more > 0) logger.info({ events: more }, 'more new violations than events are made for at once');
      told = left;
      if (failed > 0) throw new KubernetesError('unexpected_reply', `${failed} events could not be written`);
    },
  };
}

function mattersOf(violations: readonly ReportedViolation[]): Map<string, Matter> {
  const matters = new Map<string, Matter>();
  for (const one of violations) {
    if (one.namespace === '') continue;
    const key = `${one.constraintKind}/${one.constraint}/${one.top.uid}`;
    const known = matters.get(key);
    if (known === undefined) matters.set(key, { about: one, messages: [one.message] });
    else if (!known.messages.includes(one.message)) known.messages.push(one.message);
  }
  return matters;
}

/** The name says what it is about, so that the same event counts up, whichever replica leads. */
async function write(
  client: KubernetesClient,
  key: string,
  { about, messages }: Matter,
  now: number,
  pod: string,
): Promise<void> {
  const name = `breakwater.${createHash('sha256').update(key).digest('hex').slice(0, 16)}`;
  const collection = `/api/v1/namespaces/${encodeURIComponent(about.namespace)}/events`;
  const at = toRfc3339(now);
  const message = noteOf(about, messages);
  try {
    const held = (await client.get(`${collection}/${name}`)) as { count?: unknown };
    const count = typeof held.count === 'number' ? held.count + 1 : 1;
    await client.patch(`${collection}/${name}`, { count, lastTimestamp: at, message });
  } catch (error) {
    if (!(error instanceof KubernetesError && error.code === 'not_found')) throw error;
    const { top } = about;
    await client.create(collection, {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name, namespace: about.namespace },
      type: 'Warning',
      reason: REASON,
      message,
      count: 1,
      firstTimestamp: at,
      lastTimestamp: at,
      source: { component: 'breakwater-guard' },
      reportingComponent: 'breakwater-guard',
      reportingInstance: pod,
      involvedObject: {
        apiVersion: top.apiVersion,
        kind: top.kind,
        namespace: top.namespace,
        name: top.name,
        uid: top.uid,
      },
    });
  }
}

function noteOf({ constraint }: ReportedViolation, [first = '', ...others]: readonly string[]): string {
  const text = `[${constraint}] ${first}`;
  const cut = text.length > LONGEST_NOTE ? `${text.slice(0, LONGEST_NOTE - 3).toWellFormed()}...` : text;
  return others.length === 0 ? cut : `${cut} (and ${others.length} more)`;
}
