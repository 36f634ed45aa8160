import type { AdmissionFindingRow } from '../cluster/admission-findings.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

/** What was done about an object that a constraint speaks of. */
export type AdmissionAction = 'denied' | 'warned' | 'dryrun' | 'restart-grace' | 'break-glass' | 'mirror-pod';

/** One line about one image of one object that somebody asked to create or change. */
export interface AdmissionFinding {
  /** Epoch ms. */
  readonly at: number;
  readonly constraint: { readonly kind: string; readonly name: string };
  readonly action: AdmissionAction;
  readonly object: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly namespace: string;
    /** Name, or what the API server generates it from. */
    readonly name: string;
  };
  /** The owner at the top; absent when the object has none. */
  readonly owner?: { readonly kind: string; readonly name: string } | undefined;
  readonly image: string;
  readonly message: string;
  /** Name of who asked. */
  readonly user: string;
}

/** Takes what the webhook says. Dry-run requests are not to be told. */
export interface AdmissionRecorder {
  /** Returns at once, whatever becomes of it. */
  record(finding: AdmissionFinding): void;
}

export const NO_RECORDER: AdmissionRecorder = { record: () => undefined };

export interface BufferedRecorder extends AdmissionRecorder {
  /** Findings that were lost because too many came while they could not be kept. */
  dropped(): number;
  /** Keeps what is left. */
  close(): Promise<void>;
}

export interface RecorderDeps {
  readonly logger: Logger;
  /** Keeps merged findings; may fail, then it is tried again. */
  keep(findings: readonly AdmissionFindingRow[]): Promise<void>;
  readonly flushMs?: number;
}

const FLUSH_MS = 2000;
/** Different findings that wait to be kept; the same ones only count up. */
const MOST_WAITING = 5000;
const LONGEST_TEXT = 2000;

/** Merges findings in memory and keeps them every two seconds, so that a review never waits for a database. */
export function createBufferedRecorder(deps: RecorderDeps): BufferedRecorder {
  let waiting = new Map<string, AdmissionFindingRow>();
  let dropped = 0;
  let underWay: Promise<void> | undefined;

  function add(key: string, row: AdmissionFindingRow): void {
    const before = waiting.get(key);
    if (before === undefined && waiting.size >= MOST_WAITING) {
      dropped += row.times;
      return;
    }
    waiting.set(key, before ? mergeRows(before, row) : row);
  }

  async function flush(): Promise<void> {
    if (waiting.size === 0) return;
    const taken = waiting;
    waiting = new Map();
    try {
      await deps.keep([...taken.values()]);
    } catch (error) {
      deps.logger.warn({ problem: messageOf(error), findings: taken.size }, 'admission findings could not be kept');
      for (const [key, row] of taken) add(key, row);
    }
  }

  function flushOnce(): Promise<void> {
    underWay ??= flush().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  const timer = setInterval(() => void flushOnce(), deps.flushMs ?? FLUSH_MS);
  timer.unref();

  return {
    record(finding) {
      const row = rowOf(finding);
      add(
        `${row.constraintKind}\n${row.constraint}\n${row.action}\n${row.namespace}\n${row.ownerKind}\n${row.ownerName}\n${row.image}\n${row.message}`,
        row,
      );
    },
    dropped: () => dropped,
    async close() {
      clearInterval(timer);
      await underWay;
      await flushOnce();
    },
  };
}

function rowOf({ at, constraint, action, object, owner, image, message, user }: AdmissionFinding): AdmissionFindingRow {
  return {
    constraintKind: constraint.kind,
    constraint: constraint.name,
    action,
    apiVersion: cut(object.apiVersion),
    kind: cut(object.kind),
    namespace: cut(object.namespace),
    name: cut(object.name),
    ownerKind: cut(owner?.kind ?? object.kind),
    ownerName: cut(owner?.name ?? object.name),
    image: cut(image),
    message: cut(message),
    user: cut(user),
    times: 1,
    firstAt: at,
    lastAt: at,
  };
}

function mergeRows(a: AdmissionFindingRow, b: AdmissionFindingRow): AdmissionFindingRow {
  const newest = b.lastAt >= a.lastAt ? b : a;
  return { ...newest, times: a.times + b.times, firstAt: Math.min(a.firstAt, b.firstAt) };
}

/** What comes with a request is not trusted to be short. A text is never cut within a character. */
function cut(text: string): string {
  return text.length <= LONGEST_TEXT ? text : text.slice(0, LONGEST_TEXT).toWellFormed();
}
