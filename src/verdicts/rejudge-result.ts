import type { Replaced } from './judge-many.ts';

/** What looking at stored verdicts again came to. */
export interface RejudgeResult {
  readonly judged: number;
  /** In kind or in the set of reasons. */
  readonly changed: number;
  /** Among the changed: now blocked and not before, and the other way round. */
  readonly blocked: number;
  readonly released: number;
  /** Could not be judged; their old verdict stays and is looked at again when it is asked for. */
  readonly failed: number;
}

/** Of one verdict. */
export function countOf({ kind, previous, changed }: Replaced): RejudgeResult {
  const was = previous === 'block';
  const is = kind === 'block';
  return {
    judged: 1,
    changed: Number(changed),
    blocked: Number(is && !was),
    released: Number(was && !is),
    failed: 0,
  };
}

export const nothing: RejudgeResult = { judged: 0, changed: 0, blocked: 0, released: 0, failed: 0 };

export function add(a: RejudgeResult, b: RejudgeResult): RejudgeResult {
  return {
    judged: a.judged + b.judged,
    changed: a.changed + b.changed,
    blocked: a.blocked + b.blocked,
    released: a.released + b.released,
    failed: a.failed + b.failed,
  };
}
