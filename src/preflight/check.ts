/** `problem`: the guard will not work, or will do harm · `warning`: worth knowing before going on · `ok`. */
export type CheckStatus = 'ok' | 'warning' | 'problem';

/** The answer to one question asked before a guard enforces anything. */
export interface PreflightCheck {
  readonly id:
    | 'version'
    | 'features'
    | 'definition-owners'
    | 'gatekeeper'
    | 'webhook'
    | 'other-webhooks'
    | 'rights'
    | 'short-names';
  readonly status: CheckStatus;
  /** One sentence: what was found, and what to do about it. */
  readonly summary: string;
  /** What the sentence is about, one line each. */
  readonly details: readonly string[];
}

export function check(
  id: PreflightCheck['id'],
  status: CheckStatus,
  summary: string,
  details: readonly string[] = [],
): PreflightCheck {
  return { id, status, summary, details };
}
