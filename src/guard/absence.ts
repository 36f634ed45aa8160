import { z } from 'zod';
import { KubernetesError } from '../kubernetes/errors.ts';
import type { KubernetesClient } from '../kubernetes/kubernetes-client.ts';
import type { Clock } from '../platform/clock.ts';
import { jsonOf } from '../platform/json-object.ts';

/** A time during which requests were decided without a guard, epoch ms; without an end it goes on. */
export interface Absence {
  readonly from: number;
  readonly to: number | undefined;
}

export interface AbsenceDeps {
  readonly client: KubernetesClient;
  readonly clock: Clock;
  readonly namespace: string;
  /** Of this replica. */
  readonly id: string;
}

/** When no guard was asked, known to all replicas and after a restart: one ConfigMap. */
export interface AbsenceRecord {
  /** Oldest first, as far as this replica has read and seen. */
  intervals(): readonly Absence[];
  /** Nobody was asked since then; goes on until `back`. */
  away(from: number): void;
  /** Requests come through again. */
  back(at: number): void;
  /** One request was left undecided: the failure policy decided. */
  missed(at: number): void;
  /**
   * Writes what is new and reads what others wrote; the absences of replicas that are not among `live` end with ours.
   * Throws `KubernetesError`; what could not be written is tried again.
   */
  step(live: readonly string[]): Promise<void>;
}

export const ABSENCE_NAME = 'breakwater-guard-absence';
/** Longer ago, and more than this many, say nothing about what runs. */
const KEPT_MS = 90 * 86_400_000;
const MOST_KEPT = 200;
/** Closer ones are one. */
const GAP_MS = 2000;
/** An object has its time before we are asked about it, and the API server waits no longer. */
const LONGEST_REVIEW_MS = 3000;
const ATTEMPTS = 5;

const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const recordSchema = z.object({
  closed: z.array(z.tuple([moment, moment])),
  /** By replica: since when it has been left out. */
  open: z.record(z.string(), moment),
});
interface Kept {
  readonly closed: readonly (readonly [number, number])[];
  readonly open: Readonly<Record<string, number>>;
}
const NOTHING: Kept = { closed: [], open: {} };
const mapSchema = z.looseObject({
  metadata: z.looseObject({ resourceVersion: z.string() }),
  data: z.looseObject({ record: z.string().optional() }).nullish(),
});

/** Whether an object of this age may have come in without a guard; Kubernetes writes whole seconds. */
export function cameInWhileAway(intervals: readonly Absence[], createdAt: number): boolean {
  return intervals.some(({ from, to }) => createdAt + 1000 > from && createdAt <= (to ?? Number.POSITIVE_INFINITY));
}

/** The same question of a record, for very many moments: the record is looked at once a second. */
export function unseenMoments(record: Pick<AbsenceRecord, 'intervals'>, clock: Clock): (at: number) => boolean {
  let known: readonly Absence[] = [];
  let readAt = Number.NEGATIVE_INFINITY;
  return (at) => {
    const now = clock.now();
    if (Math.abs(now - readAt) >= 1000) {
      known = record.intervals();
      readAt = now;
    }
    return cameInWhileAway(known, at);
  };
}

export function createAbsenceRecord({ client, clock, namespace, id }: AbsenceDeps): AbsenceRecord {
  const collection = `/api/v1/namespaces/${encodeURIComponent(namespace)}/configmaps`;
  const path = `${collection}/${ABSENCE_NAME}`;
  let known = NOTHING;
  /** Closed here and not written yet. */
  let news: readonly (readonly [number, number])[] = [];
  let openSince: number | undefined;
  /** A replica that crashed left its absence open; the same name that starts again takes it up until it is back. */
  let provenAt: number | undefined;

  function withOurs(kept: Kept, own: readonly (readonly [number, number])[], live: readonly string[]): Kept {
    const { [id]: ours, ...others } = kept.open;
    const closed = [...kept.closed, ...own];
    const open: Record<string, number> = {};
    for (const [replica, from] of Object.entries(others)) {
      if (live.includes(replica) || provenAt === undefined || provenAt <= from) open[replica] = from;
      else closed.push([from, provenAt]);
    }
    const since = openSince ?? (provenAt === undefined ? ours : undefined);
    if (since !== undefined) open[id] = Math.min(since, ours ?? since);
    else if (ours !== undefined && provenAt !== undefined) closed.push([ours, Math.max(ours, provenAt)]);
    return { closed: joined(closed, clock.now()), open };
  }

  async function read(): Promise<{ kept: Kept; version: string | undefined }> {
    try {
      const { metadata, data } = mapSchema.parse(await client.get(path));
      const parsed = recordSchema.safeParse(jsonOf(data?.record ?? ''));
      return { kept: parsed.success ? parsed.data : NOTHING, version: metadata.resourceVersion };
    } catch (error) {
      if (error instanceof KubernetesError && error.code === 'not_found') return { kept: NOTHING, version: undefined };
      throw error;
    }
  }
  async function write(kept: Kept, version: string | undefined): Promise<void> {
    const data = { record: textOf(kept) };
    if (version === undefined) {
      const metadata = { name: ABSENCE_NAME, namespace };
      await client.create(collection, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
    } else {
      await client.patch(path, { metadata: { resourceVersion: version }, data });
    }
  }

  return {
    intervals() {
      const { closed, open } = withOurs(known, news, Object.keys(known.open));
      const all = [
        ...closed.map(([from, to]) => ({ from, to })),
        ...Object.values(open).map((from) => ({ from, to: undefined })),
      ];
      return all.sort((a, b) => a.from - b.from);
    },
    away(from) {
      openSince = Math.min(openSince ?? from, from);
    },
    back(at) {
      if (openSince !== undefined) news = [...news, [openSince, Math.max(openSince, at)]];
      openSince = undefined;
      provenAt = at;
    },
    missed(at) {
      news = joined([...news, [at - LONGEST_REVIEW_MS, at]], clock.now());
    },
    async step(live) {
      for (let attempt = 1; ; attempt += 1) {
        const { kept, version } = await read();
        const own = news;
        const after = withOurs(kept, own, live);
        news = [];
        try {
          if (textOf(after) !== textOf(kept)) await write(after, version);
          known = after;
          return;
        } catch (error) {
          news = [...own, ...news];
          const conflict = error instanceof KubernetesError && error.code === 'conflict';
          if (!conflict || attempt === ATTEMPTS) throw error;
        }
      }
    },
  };
}

function joined(intervals: readonly (readonly [number, number])[], now: number): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of [...intervals].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from - last[1] <= GAP_MS) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result.filter(([, to]) => now - to < KEPT_MS).slice(-MOST_KEPT);
}

function written(at: number): string {
  return new Date(at).toISOString();
}

function textOf({ closed, open }: Kept): string {
  return JSON.stringify({
    closed: closed.map(([from, to]) => [written(from), written(to)]),
    open: Object.fromEntries(Object.entries(open).map(([replica, from]) => [replica, written(from)])),
  });
}
