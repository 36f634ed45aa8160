import type { Filter } from './names.ts';
import type { Patience } from './patience.ts';
import type { ImportSource, ImportTarget, Problem } from './ports.ts';

export interface ImportDeps {
  readonly source: ImportSource;
  readonly target: ImportTarget;
  readonly patience: Patience;
}

export interface ImportOptions {
  readonly filter: Filter;
  /** The name a repository gets at the target; throws `ImportError` when it can have none. */
  readonly nameHere: (repository: string) => string;
  readonly taggedOnly: boolean;
  /** Only looks, and counts what would be done. */
  readonly dryRun: boolean;
  /** Images, and blobs, at once. */
  readonly jobs: number;
  readonly onProblem: (problem: Problem) => void;
  readonly onRepository: (repository: string) => void;
  readonly onProgress: () => void;
}
