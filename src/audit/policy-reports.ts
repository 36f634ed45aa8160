import { z } from 'zod';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import { listObjects } from '../kubernetes/list-pages.ts';
import type { ObjectReader } from '../kubernetes/object-forms.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';
import { CONTENT_ANNOTATION, MANAGED_BY, REPORT_APIS, type ReportApi, wantedReports } from './report-objects.ts';
import type { ReportedViolation } from './reported-violations.ts';

/** Which reports are written: `auto` = to every API the cluster has. */
export type ReportChoice = 'off' | 'auto' | ReportApi['name'];

export interface ReportWriter {
  /** Brings the reports to what a pass found; what is right already is left alone. Throws when some could not be written. */
  write(violations: readonly ReportedViolation[]): Promise<void>;
}

export interface ReportDeps {
  readonly client: KubernetesClient;
  readonly logger: Logger;
  readonly choice: ReportChoice;
}

interface Held {
  readonly namespace: string;
  readonly name: string;
  readonly content: string;
}

const AT_ONCE = 4;
/** Reports that somebody else changed or removed are found again by reading them all every so many passes. */
const PASSES_BETWEEN_READS = 60;

const heldSchema = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().default(''),
    annotations: z.record(z.string(), z.string()).default({}),
  }),
});
const READER: ObjectReader<Held> = {
  json(object) {
    const { name, namespace, annotations } = heldSchema.parse(object).metadata;
    return { name, namespace, content: annotations[CONTENT_ANNOTATION] ?? '' };
  },
};

/** Writes what audits find where the tools of the cluster look for it. For the leader. */
export function createReportWriter(deps: ReportDeps): ReportWriter {
  const apis = REPORT_APIS.filter(({ name }) => deps.choice === 'auto' || deps.choice === name);
  const states = new Map(apis.map((api) => [api, { held: new Map<string, Held>(), reads: 0, last: '' }]));

  async function writeTo(api: ReportApi, violations: readonly ReportedViolation[]): Promise<number> {
    const state = states.get(api);
    if (state === undefined || !(await isServed(deps.client, api))) return 0;
    if (state.reads === 0) state.held = await readHeld(deps.client, api);
    state.reads = (state.reads + 1) % PASSES_BETWEEN_READS;
    const wanted = new Map(wantedReports(api, violations).map((one) => [`${one.namespace}/${one.name}`, one]));
    const work: (() => Promise<void>)[] = [];
    for (const [key, report] of wanted) {
      const held = state.held.get(key);
      if (held?.content === report.content) continue;
      work.push(async () => {
        await (held ? replace(deps.client, api, report) : create(deps.client, api, report));
        state.held.set(key, report);
      });
    }
    for (const [key, held] of state.held) {
      if (wanted.has(key)) continue;
      work.push(async () => {
        await deps.client.remove(pathOf(api, held)).catch(unlessGone);
        state.held.delete(key);
      });
    }
    return runAll(work, deps.logger);
  }

  return {
    async write(violations) {
      for (const api of apis) {
        const failed = await writeTo(api, violations);
        if (failed > 0) {
          const state = states.get(api);
          if (state) state.reads = 0;
          throw new KubernetesError(
            'unexpected_reply',
            `${failed} reports of ${api.groupVersion} could not be written`,
          );
        }
      }
    },
  };
}

async function isServed(client: KubernetesClient, api: ReportApi): Promise<boolean> {
  try {
    await client.get(`/apis/${api.groupVersion}`);
    return true;
  } catch (error) {
    if (error instanceof KubernetesError && error.code === 'not_found') return false;
    throw error;
  }
}

/** All reports of ours, those of replicas that led before too. */
async function readHeld(client: KubernetesClient, api: ReportApi): Promise<Map<string, Held>> {
  const held = new Map<string, Held>();
  const [[label, value] = ['', '']] = Object.entries(MANAGED_BY);
  for (const plural of [api.plural, api.clusterPlural])
    await listObjects(
      client,
      `/apis/${api.groupVersion}/${plural}`,
      { labelSelector: `${label}=${value}` },
      READER,
      (one) => held.set(`${one.namespace}/${one.name}`, one),
    );
  return held;
}

type Wanted = ReturnType<typeof wantedReports>[number];

async function create(client: KubernetesClient, api: ReportApi, report: Wanted): Promise<void> {
  try {
    await client.create(collectionOf(api, report.namespace), report.object);
  } catch (error) {
    if (!(error instanceof KubernetesError)) throw error;
    if (error.code === 'conflict') await replace(client, api, report);
    // A namespace that ends takes nothing new, and one that is gone nothing at all.
    else if (error.code !== 'not_found' && !/being terminated/.test(error.message)) throw error;
  }
}

/** A merge patch puts the new list in the place of the old one. */
async function replace(client: KubernetesClient, api: ReportApi, report: Wanted): Promise<void> {
  try {
    await client.patch(pathOf(api, report), report.object);
  } catch (error) {
    if (!(error instanceof KubernetesError && error.code === 'not_found')) throw error;
    await client.create(collectionOf(api, report.namespace), report.object).catch(unlessGone);
  }
}

function collectionOf(api: ReportApi, namespace: string): string {
  const base = `/apis/${api.groupVersion}`;
  return namespace === ''
    ? `${base}/${api.clusterPlural}`
    : `${base}/namespaces/${encodeURIComponent(namespace)}/${api.plural}`;
}

function pathOf(api: ReportApi, { namespace, name }: Held): string {
  return `${collectionOf(api, namespace)}/${encodeURIComponent(name)}`;
}

function unlessGone(error: unknown): void {
  if (!(error instanceof KubernetesError && error.code === 'not_found')) throw error;
}

/** Does all of it, a few at a time; gives how many failed. */
async function runAll(work: (() => Promise<void>)[], logger: Logger): Promise<number> {
  let failed = 0;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = work.shift(); one !== undefined; one = work.shift()) {
        await one().catch((error: unknown) => {
          failed += 1;
          logger.debug({ problem: messageOf(error) }, 'report could not be written');
        });
      }
    }),
  );
  return failed;
}
