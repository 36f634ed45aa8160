/** Accounts of machines. */
export interface RobotsTable {
  id: string;
  /** Login name, `robot$front+ci`; no person can have such a name. */
  name: string;
  /** Whose administrators manage it; null: only those of the installation. */
  project_id: string | null;
  /** The person who answers for it: it stops when that account is disabled. */
  owner_id: string;
  description: string;
  /** JSON: permissions by project id, `*` for everywhere. */
  grants: string;
  disabled: 0 | 1;
  expires_at: number | null;
  created_at: number;
  last_used_at: number | null;
}

/** At most two of a robot count at a time. */
export interface RobotSecretsTable {
  id: string;
  robot_id: string;
  /** Keyed hash (`auth/robot-secret.ts`). */
  hash: string;
  created_at: number;
  /** Set when another one has taken its place. */
  ends_at: number | null;
}
