import type { ComputedMany } from './judge-many.ts';
import type { Cause } from './ports.ts';
import type { Subject } from './subjects.ts';

/** Computes verdicts on stored images in processes of their own, so that the one that serves has only to write them. */
export interface Apart {
  /** How many there may be, at least one. */
  readonly processes: number;
  /** Begins a judging in one of them, from 0 on. */
  begin(cause: Cause, process: number): ApartRun;
}

/** One long judging: what is remembered of one part serves the next. */
export interface ApartRun {
  /**
   * What these images come to; throws when the process could not say it. What was computed before is taken for written, soon or
   * already.
   */
  compute(subjects: readonly Subject[]): Promise<ComputedMany>;
  /** What was computed before was not written. */
  forget(): void;
}
