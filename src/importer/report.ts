import type { Problem } from './ports.ts';

/** Things of one kind: those brought here by this run, and those that were here already. */
interface Count {
  imported: number;
  present: number;
}

export interface ImportReport {
  repositories: number;
  readonly tags: Count;
  readonly manifests: Count;
  readonly blobs: Count & { mounted: number; linked: number };
  /** Bytes of the blobs that were sent or linked, or would be. */
  bytes: number;
  /** All that could not be imported; the first of them by name. */
  problems: number;
  readonly firstProblems: Problem[];
}

const NAMED = 10_000;

const count = () => ({ imported: 0, present: 0 });

export function createReport(): ImportReport {
  return {
    repositories: 0,
    tags: count(),
    manifests: count(),
    blobs: { ...count(), mounted: 0, linked: 0 },
    bytes: 0,
    problems: 0,
    firstProblems: [],
  };
}

export function addProblem(report: ImportReport, problem: Problem): void {
  report.problems += 1;
  if (report.firstProblems.length < NAMED) report.firstProblems.push(problem);
}
