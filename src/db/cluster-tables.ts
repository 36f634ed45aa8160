/** What the newest audits found and nobody has mended since. */
export interface ClusterViolationsTable {
  cluster: string;
  /** Hash of everything that makes it this violation. */
  key: string;
  constraint_kind: string;
  constraint_name: string;
  action: string;
  api_group: string;
  api_version: string;
  kind: string;
  namespace: string;
  name: string;
  image: string;
  message: string;
  /** It was created while no guard answered. */
  away: 0 | 1;
  first_seen: number;
}

/** What admission said about objects that an audit may never see; the same about the same owner is one row. */
export interface AdmissionFindingsTable {
  cluster: string;
  key: string;
  constraint_kind: string;
  constraint_name: string;
  action: string;
  api_version: string;
  kind: string;
  namespace: string;
  /** Of the newest object. */
  name: string;
  owner_kind: string;
  owner_name: string;
  image: string;
  message: string;
  /** Who asked last. */
  requested_by: string;
  times: number;
  first_at: number;
  last_at: number;
}
