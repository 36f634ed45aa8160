import type { Generated } from 'kysely';

/** Tables about what comes in, how much there is, what may stay, and who is told. */
export interface StorageTables {
  uploads: UploadsTable;
  usage_changes: UsageChangesTable;
  usage_items: UsageItemsTable;
  project_usage: ProjectUsageTable;
  repository_usage: RepositoryUsageTable;
  manifest_pulls: ManifestPullsTable;
  retention_rules: RetentionRulesTable;
  retention_runs: RetentionRunsTable;
  guard_changes: GuardChangesTable;
}

interface UploadsTable {
  id: string;
  repository_id: string;
  size: number;
  created_at: number;
  updated_at: number;
}

/**
 * What changed in what a project holds, one row for each content that came into or left a repository. Only ever added, in the
 * transaction of the change, so that pushes never wait for each other; folded into the sums in the background.
 */
interface UsageChangesTable {
  id: Generated<number>;
  project_id: string;
  repository_id: string;
  /** `blob` or `manifest`. */
  kind: string;
  digest: string;
  size: number;
  /** 1 came, -1 left. */
  links: number;
}

/** In how many repositories of the project some content is; what is in none has no row. */
interface UsageItemsTable {
  project_id: string;
  kind: string;
  digest: string;
  links: number;
  size: number;
}

/** Sums without what is still in `usage_changes`; content that is in several repositories counts once. */
interface ProjectUsageTable {
  project_id: string;
  bytes: number;
  blobs: number;
  manifests: number;
}

interface RepositoryUsageTable {
  repository_id: string;
  project_id: string;
  bytes: number;
  blobs: number;
  manifests: number;
}

/** When a manifest was pulled last, to the hour. */
interface ManifestPullsTable {
  repository_id: string;
  digest: string;
  pulled_at: number;
}

/** Which tags a project keeps: JSON of `RetentionRule[]`. */
interface RetentionRulesTable {
  project_id: string;
  rules: string;
  changed_by: string;
  changed_at: number;
}

interface RetentionRunsTable {
  id: string;
  project_id: string;
  actor: string;
  at: number;
  /** The rules as text, JSON of `string[]`. */
  rules: string;
  examined: number;
  removed: number;
}

/** What guards are told of, by name, in the order it changed. Written by triggers (`0014-guard-changes.ts`) alone. */
interface GuardChangesTable {
  id: Generated<number>;
  /** Random: tells whether a row is still the one that was read. */
  mark: number;
  /** `tag`, `image`, `repository` (it is gone), `upstream`, `trust`; `start` for the first row. */
  kind: string;
  /** Full name of the repository; of the project for `upstream`; empty for `trust`. */
  repository: string;
  /** Tag, digest or trusted entry; else empty. */
  item: string;
}
