import type { Generated } from 'kysely';

/**
 * What changed in what a project holds, one row for each content that came into or left a repository. Only ever added, in the
 * transaction of the change, so that pushes never wait for each other; folded into the sums in the background.
 */
export interface UsageChangesTable {
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
export interface UsageItemsTable {
  project_id: string;
  kind: string;
  digest: string;
  links: number;
  size: number;
}

/** Sums without what is still in `usage_changes`; content that is in several repositories counts once. */
export interface ProjectUsageTable {
  project_id: string;
  bytes: number;
  blobs: number;
  manifests: number;
}

export interface RepositoryUsageTable {
  repository_id: string;
  project_id: string;
  bytes: number;
  blobs: number;
  manifests: number;
}

/** When a manifest was pulled last, to the hour. */
export interface ManifestPullsTable {
  repository_id: string;
  digest: string;
  pulled_at: number;
}

/** Which tags a project keeps: JSON of `RetentionRule[]`. */
export interface RetentionRulesTable {
  project_id: string;
  rules: string;
  changed_by: string;
  changed_at: number;
}

export interface RetentionRunsTable {
  id: string;
  project_id: string;
  actor: string;
  at: number;
  /** The rules as text, JSON of `string[]`. */
  rules: string;
  examined: number;
  removed: number;
}
