import type { Generated } from 'kysely';

/** Requests for exceptions and what became of them. */
export interface ExceptionsTable {
  id: string;
  /** Empty: it is about all projects. */
  project_id: string;
  /** `accepted-risk`, `not-affected` or `until-fixed`. */
  kind: Generated<string>;
  /** Empty where it is about a rule. */
  vulnerability: string;
  /** `end-of-life` or `unscannable`; null where it is about a vulnerability. */
  rule: Generated<string | null>;
  package: string | null;
  package_type: string | null;
  /** Exact installed version. */
  version: string | null;
  /** Range of installed versions. */
  versions: Generated<string | null>;
  repository_glob: string | null;
  digest: string | null;
  platform: Generated<string | null>;
  /** Why it is not affected, in the words of VEX. */
  justification: Generated<string | null>;
  /** It ends this many days after a fix was first known. */
  fix_days: Generated<number | null>;
  /** Who answers for the risk, where that is said. */
  owner: Generated<string | null>;
  reason: string;
  ticket: string | null;
  /** `requested`, `granted`, `denied` or `revoked`. Expiry is a matter of time, not of state. */
  state: string;
  requested_by: string;
  /** The person behind the robot that asked; null where a person asked. */
  requested_person: Generated<string | null>;
  requested_at: number;
  /** JSON: accounts of every person who asked for it or changed it while it was a request. */
  requester_accounts: Generated<string>;
  /** The exception it continues. */
  renews: Generated<string | null>;
  /** When the first of the exceptions it continues began to count; null where it continues none. */
  /** What is asked for, as it was worded first (1) or changed since. */
  revision: Generated<number>;
  life_from: Generated<number | null>;
  /** What was asked for together. */
  batch: Generated<string | null>;
  decided_by: string | null;
  decided_at: number | null;
  decision_reason: string | null;
  single_handed: 0 | 1;
  valid_from: number | null;
  until: number;
  /** When it was told that the end comes near, and that it has come. */
  expiring_told_at: Generated<number | null>;
  expired_told_at: Generated<number | null>;
}
