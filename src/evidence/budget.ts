import { LARGEST_DOCUMENT } from './document.ts';
import { EvidenceError } from './errors.ts';

/** Counts what goes into a document, so that a period with too much in it ends with a message instead of all memory. */
export interface Budget {
  /** Takes a line; gives it back. Throws `EvidenceError('evidence_too_large')`. */
  readonly take: <Line>(line: Line) => Line;
}

export function createBudget(most = LARGEST_DOCUMENT): Budget {
  let used = 0;
  return {
    take(line) {
      used += JSON.stringify(line).length;
      if (used > most)
        throw new EvidenceError(
          'evidence_too_large',
          `there is more to report than the ${Math.round(most / 1_048_576)} MiB one document may hold; export shorter periods one after the other`,
        );
      return line;
    },
  };
}
