import type { Generated, Insertable, Selectable } from 'kysely';
import type { AdmissionFindingsTable, ClusterViolationsTable } from './cluster-tables.ts';
import type { ExceptionsTable } from './exception-table.ts';
import type { FindingTables } from './finding-tables.ts';
import type { LedgerPendingTable, LedgerTable } from './ledger-tables.ts';
import type { NotifyTables } from './notify-tables.ts';
import type { QuarantinesTable } from './quarantine-table.ts';
import type { GcReviewsTable } from './review-table.ts';
import type { RobotSecretsTable, RobotsTable } from './robot-tables.ts';
import type { StorageTables } from './storage-tables.ts';
import type { VexTables } from './vex-tables.ts';

/**
 * Every table, as the code sees it. Conventions: text ids, times as epoch milliseconds UTC, booleans as 0 or 1,
 * documents as JSON text, digests as text. `0001-initial.ts` creates exactly this on both engines.
 */
export interface Schema extends StorageTables, NotifyTables, VexTables, FindingTables {
  users: UsersTable;
  parted_accounts: PartedAccountsTable;
  robots: RobotsTable;
  robot_secrets: RobotSecretsTable;
  projects: ProjectsTable;
  upstreams: UpstreamsTable;
  members: MembersTable;
  policies: PoliciesTable;
  repositories: RepositoriesTable;
  blobs: BlobsTable;
  repository_blobs: RepositoryBlobsTable;
  manifests: ManifestsTable;
  manifest_blobs: ManifestBlobsTable;
  manifest_children: ManifestChildrenTable;
  tags: TagsTable;
  mirror_tags: MirrorTagsTable;
  layer_analyses: LayerAnalysesTable;
  packages: PackagesTable;
  inventories: InventoriesTable;
  inventory_packages: InventoryPackagesTable;
  images: ImagesTable;
  verdicts: VerdictsTable;
  verdict_changes: VerdictChangesTable;
  clocks: ClocksTable;
  image_clocks: ImageClocksTable;
  exceptions: ExceptionsTable;
  trusted_sources: TrustedSourcesTable;
  advisory_versions: AdvisoryVersionsTable;
  audit_runs: AuditRunsTable;
  cluster_violations: ClusterViolationsTable;
  admission_findings: AdmissionFindingsTable;
  running_images: RunningImagesTable;
  ledger: LedgerTable;
  ledger_pending: LedgerPendingTable;
  jobs: JobsTable;
  settings: SettingsTable;
  gc_reviews: GcReviewsTable;
  quarantines: QuarantinesTable;
}

export type Bit = 0 | 1;
export type Row<Table extends keyof Schema> = Selectable<Schema[Table]>;
export type NewRow<Table extends keyof Schema> = Insertable<Schema[Table]>;

interface UsersTable {
  id: string;
  name: string;
  password_hash: string;
  admin: Bit;
  disabled: Bit;
  created_at: number;
  /** Name of the account that stands for the person, where several are of one; null: this one. */
  person: Generated<string | null>;
}

/** Accounts that were of one person until a moment; each pair both ways. */
interface PartedAccountsTable {
  name: string;
  other: string;
  parted_at: number;
}

interface ProjectsTable {
  id: string;
  name: string;
  /** Anybody may pull and list. */
  public: Bit;
  delete_untagged: Generated<number>;
  /** Bytes; null: as the installation has it, -1: unlimited. */
  quota: Generated<number | null>;
  /** JSON of `TagSelection[]`; null: no tag is immutable. */
  immutable_tags: Generated<string | null>;
  created_by: string;
  created_at: number;
}

/** Present for mirror projects only. */
interface UpstreamsTable {
  project_id: string;
  /** Origin and optional path prefix, e.g. https://registry-1.docker.io */
  url: string;
  username: string | null;
  /** Encrypted at rest (`auth/secret-box.ts`). */
  secret: string | null;
  freshness_seconds: number;
}

interface MembersTable {
  project_id: string;
  user_id: string;
  /** `admin`, `developer` or `guest`; the permission table says what each may do. */
  role: string;
  created_at: number;
}

/** Numbered, immutable policy documents. `project_id` is empty for the installation's own. */
interface PoliciesTable {
  project_id: string;
  version: number;
  document: string;
  author: string;
  reason: string;
  created_at: number;
  /** Until then it only warns. Epoch ms; null: from its first moment on it counts. */
  effective_from: Generated<number | null>;
}

interface RepositoriesTable {
  id: string;
  project_id: string;
  /** Full name, `front/alpine`. */
  name: string;
  created_at: number;
}

/** Only a row here makes a blob visible. */
interface BlobsTable {
  digest: string;
  size: number;
  created_at: number;
  /** When content for it was stored last: what was found out about the content before may not hold any more. */
  written_at: Generated<number>;
  /** Not null: the content was given up, as `unused` or `damaged`, and the blob is not served until it is stored again. */
  withheld_at: Generated<number | null>;
  withheld_for: Generated<string | null>;
  /** The content is being moved into the trash until then at the latest. */
  moving_until: Generated<number | null>;
}

interface RepositoryBlobsTable {
  repository_id: string;
  digest: string;
  created_at: number;
}

interface ManifestsTable {
  repository_id: string;
  digest: string;
  media_type: string;
  /** `image`, `index` or `artifact` (signature, SBOM, attestation, chart: not runnable). */
  kind: string;
  artifact_type: string | null;
  size: number;
  content: Uint8Array;
  subject: string | null;
  annotations: string | null;
  created_by: string;
  created_at: number;
}

interface ManifestBlobsTable {
  repository_id: string;
  manifest_digest: string;
  /** 0 = config, 1… = layers in order. */
  position: number;
  blob_digest: string;
  media_type: string;
  size: number;
}

interface ManifestChildrenTable {
  repository_id: string;
  parent_digest: string;
  position: number;
  child_digest: string;
  /** `linux/arm64/v8`, or null when the index does not say. */
  platform: string | null;
}

interface TagsTable {
  repository_id: string;
  name: string;
  digest: string;
  updated_at: number;
}

/** When a mirrored tag was last compared with its upstream. */
interface MirrorTagsTable {
  repository_id: string;
  name: string;
  digest: string;
  checked_at: number;
}

interface LayerAnalysesTable {
  blob_digest: string;
  analyser: string;
  /** JSON of the layer's evidence, zstd-compressed. */
  evidence: Uint8Array;
  complete: Bit;
  created_at: number;
}

interface PackagesTable {
  id: Generated<number>;
  /**
   * Hash of everything below: an image may claim any source for a package URL, and must not change with it what is known
   * about the packages of others.
   */
  identity: string;
  purl: string;
  type: string;
  name: string;
  version: string;
  arch: string | null;
  source_name: string | null;
  source_version: string | null;
  licence: string | null;
  /** Module stream of an rpm. */
  module: string | null;
  /** 1 for a package of the system's manager that the distribution did not make. */
  third_party: Generated<number>;
  /** Its own name as advisories are looked up by it; they may also be filed under its source. */
  lookup_name: string;
}

interface InventoriesTable {
  hash: string;
  analyser: string;
  /** What the OSV ecosystems of the distribution release have in common, `Alpine:v3.20`; null when not recognised. */
  ecosystem: string | null;
  distribution: string | null;
  gaps: string;
  /** JSON, lowest first, with the build step of each; null where none is known. */
  layers: string | null;
  /** Ids of its packages, each once, separated by commas; null in rows that are older: `inventory_packages` has them too. */
  package_ids: Generated<string | null>;
  complete: Bit;
  created_at: number;
}

interface InventoryPackagesTable {
  inventory_hash: string;
  package_id: number;
  path: string;
  layer: string | null;
}

/** What became of the analysis of one image manifest. */
interface ImagesTable {
  digest: string;
  /** `pending`, `ready` or `failed`. */
  status: string;
  inventory_hash: string | null;
  /** As the image's configuration says; null when it does not, or was not asked yet. */
  platform: Generated<string | null>;
  error: string | null;
  updated_at: number;
}

interface VerdictsTable {
  repository_id: string;
  digest: string;
  kind: string;
  document: string;
  /** Version of the advisory database it rests on; empty when there was none. */
  advisories: string;
  policy_version: number;
  judged_at: number;
  changes_at: number | null;
  /** JSON of what becomes of it by time alone; null: nothing that is foreseen. */
  becomes: Generated<string | null>;
}

interface VerdictChangesTable {
  id: Generated<number>;
  repository_id: string;
  repository: string;
  digest: string;
  previous: string | null;
  kind: string;
  /** `push`, `advisories`, `policy`, `exception`, `time`, `analyser`. */
  cause: string;
  document: string;
  at: number;
}

/** When a vulnerability of a package was first seen in a repository; scope is `repository:<id>`. */
interface ClocksTable {
  scope: string;
  vulnerability: string;
  package: string;
  first_seen: number;
  /** When it was first seen fixable, exploited, as severe: `fix@<base 36> …`, appended to; null: all of it at once. */
  marks: Generated<string | null>;
}

/** The same for a manifest, wherever it is stored: lines of JSON, `[first seen, "vulnerability package", …]`; the earliest counts. */
interface ImageClocksTable {
  digest: string;
  clocks: string;
}

interface TrustedSourcesTable {
  id: string;
  /** `registry`, `project`, `repository`, `tag` or `digest`. */
  scope: string;
  /** Normalised text of the entry, `docker.io/library/nginx`. */
  entry: string;
  /** `proposed`, `approved`, `lapsed` or `retired`; "review due" follows from `review_due`. */
  state: string;
  criteria: string;
  findings: string;
  owner: string;
  proposed_by: string;
  proposed_at: number;
  decided_by: string | null;
  decided_at: number | null;
  decision_reason: string | null;
  review_due: number;
  /** JSON of what was measured when it was proposed or reviewed last; null: before anything was. */
  measured: Generated<string | null>;
  retired_at: number | null;
}

interface AdvisoryVersionsTable {
  version: string;
  built_at: number;
  imported_at: number;
  imported_by: string;
  /** JSON of the sources block. */
  sources: string;
}

interface AuditRunsTable {
  id: string;
  cluster: string;
  started_at: number;
  finished_at: number;
  objects: number;
  violations: number;
  /** JSON list of kinds that could not be listed. */
  incomplete: string;
}

interface RunningImagesTable {
  cluster: string;
  namespace: string;
  kind: string;
  name: string;
  container: string;
  image: string;
  digest: string | null;
  first_seen: number;
  last_seen: number;
}

interface JobsTable {
  id: string;
  kind: string;
  /** Two jobs with the same kind and key are one job until it has run. */
  key: string;
  payload: string;
  /** `queued`, `running` or `failed`; a finished job has no row. */
  state: string;
  run_after: number;
  attempts: number;
  leased_until: number | null;
  last_error: string | null;
  created_at: number;
}

interface SettingsTable {
  key: string;
  value: string;
}
