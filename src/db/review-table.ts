/** Things that garbage collection will look at: they were pushed, or something that referred to them went away. */
export interface GcReviewsTable {
  /** `manifest`, `link` (a blob in one repository) or `blob` (everywhere). */
  kind: string;
  /** Empty for `blob`. */
  repository_id: string;
  digest: string;
  /** What the delay counts from; it only moves forward. */
  changed_at: number;
  /** Not looked at before, whatever the delay: somebody was told that it is there, or the last try failed. */
  not_before: number;
  attempts: number;
  /** Of the worker that has it. */
  lease: string | null;
  leased_until: number | null;
  last_error: string | null;
}
