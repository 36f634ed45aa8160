/** What was done about one line of one review. */
export type ActionTaken = 'denied' | 'warned' | 'dryrun' | 'restart-grace' | 'break-glass' | 'mirror-pod';

/** One line about one image that a review found, and what became of it. */
export interface AdmissionFinding {
  /** Epoch ms. */
  readonly at: number;
  readonly constraint: { readonly kind: string; readonly name: string };
  readonly taken: ActionTaken;
  readonly operation: 'CREATE' | 'UPDATE';
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  /** Empty where the API server had not made it up yet. */
  readonly name: string;
  readonly uid: string;
  /** The living owner at the top, where there is one. */
  readonly owner?: { readonly kind: string; readonly namespace: string; readonly name: string; readonly uid: string };
  readonly image: string;
  /** The bare message, as in `status.violations`. */
  readonly message: string;
  /** Who asked. */
  readonly user: string;
  /** Ticket and reason, for `break-glass`. */
  readonly ticket?: string;
}

/** Keeps what reviews found. Returns at once and never throws: a review waits for it. */
export interface AdmissionRecorder {
  record(finding: AdmissionFinding): void;
}
