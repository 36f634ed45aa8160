import type { ADMISSION_ACTIONS, AdmissionFindingRow } from '../cluster/admission-findings.ts';
import { messageOf } from '../platform/errors.ts';
import type { Logger } from '../platform/logger.ts';

/** What was done about an object that a constraint speaks of. */
export type AdmissionAction = (typeof ADMISSION_ACTIONS)[number];

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
  /** Keeps merged findings, not too many at once; may fail, then it is tried again, ever more seldom. */
  keep(findings: readonly AdmissionFindingRow[]): Promise<void>;
  /** True for failures that trying again does not change: then the findings are given up and counted. */
  isFinal?(error: unknown): boolean;
  readonly flushMs?: number;
}

const FLUSH_MS = 2000;
/** Different findings that wait to be kept; the same ones only count up. */
const MOST_WAITING = 5000;
/** What is kept at once, in findings and in characters: together they fit into a request, however they are escaped. */
const MOST_AT_ONCE = 500;
const MOST_TEXT_AT_ONCE = 150_000;
/** Flushes that are left out at most after failures. */
const MOST_PAUSED = 15;
const LONGEST_TEXT = 2000;

/** Merges findings in memory and keeps them every two seconds, so that a review never waits for a database. */
export function createBufferedRecorder(deps: RecorderDeps): BufferedRecorder {
  const waiting = new Map<string, AdmissionFindingRow>();
  let dropped = 0;
  let failures = 0;
  let paused = 0;
  let underWay: Promise<void> | undefined;

  function add(key: string, row: AdmissionFindingRow): void {
    const before = waiting.get(key);
    if (before === undefined && waiting.size >= MOST_WAITING) {
      dropped += row.times;
      return;
    }
    waiting.set(key, before ? mergeRows(before, row) : row);
  }

  function takeSome(): Map<string, AdmissionFindingRow> {
    const taken = new Map<string, AdmissionFindingRow>();
    let text = 0;
    for (const [key, row] of waiting) {
      text += textIn(row);
      if (taken.size > 0 && (taken.size >= MOST_AT_ONCE || text > MOST_TEXT_AT_ONCE)) break;
      taken.set(key, row);
      waiting.delete(key);
    }
    return taken;
  }

  async function flush(): Promise<void> {
    while (waiting.size > 0) {
      const taken = takeSome();
      try {
        await deps.keep([...taken.values()]);
        failures = 0;
      } catch (error) {
        const problem = { problem: messageOf(error), findings: taken.size };
        if (deps.isFinal?.(error)) {
          deps.logger.error(problem, 'admission findings are given up');
          for (const { times } of taken.values()) dropped += times;
          continue;
        }
        deps.logger.warn(problem, 'admission findings could not be kept');
        for (const [key, row] of taken) add(key, row);
        failures += 1;
        paused = Math.min(2 ** failures - 1, MOST_PAUSED);
        return;
      }
    }
  }

  function flushOnce(): Promise<void> {
    underWay ??= flush().finally(() => {
      underWay = undefined;
    });
    return underWay;
  }

  const timer = setInterval(() => {
    if (paused > 0) paused -= 1;
    else void flushOnce();
  }, deps.flushMs ?? FLUSH_MS);
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
    constraintKind: cut(constraint.kind),
    constraint: cut(constraint.name),
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

/** Characters of all texts. */
function textIn(row: AdmissionFindingRow): number {
  let sum = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') sum += value.length;
  return sum;
}

/** NUL, and halves of characters, whole ones too. */
const UNKEPT = /[\0\ud800-\udfff]/;

/** What comes with a request is not trusted to be short, nor to be text that databases keep: no NUL, no half characters. */
function cut(text: string): string {
  const short = text.length <= LONGEST_TEXT ? text : text.slice(0, LONGEST_TEXT);
  return UNKEPT.test(short) ? short.replaceAll('\0', '\ufffd').toWellFormed() : short;
}
