/** Tables about what authors of VEX say. */
export interface VexTables {
  vex_authors: VexAuthorsTable;
  vex_documents: VexDocumentsTable;
  vex_statements: VexStatementsTable;
  vex_vulnerabilities: VexVulnerabilitiesTable;
  vex_subjects: VexSubjectsTable;
  vex_requests: VexRequestsTable;
}

/** Whose statements count, and what they may speak of. */
interface VexAuthorsTable {
  id: string;
  name: string;
  /** PEM, SubjectPublicKeyInfo. */
  public_key: string;
  /** `sha256:` of the key in DER. */
  fingerprint: string;
  /** JSON: globs of package URLs and repositories. */
  products: string;
  /** JSON: the statuses it may give. */
  statuses: string;
  criteria: string;
  findings: string;
  owner: string;
  review_due: number;
  added_by: string;
  added_at: number;
  retired_by: string | null;
  retired_at: number | null;
  retire_reason: string | null;
  /** The key counts for what was here before this moment only; null with `retired_at`: for nothing. */
  revoked_at: number | null;
}

interface VexDocumentsTable {
  /** Hash of the project and the bytes: a document is there once. */
  id: string;
  /** Empty: holds in every project. */
  project_id: string;
  /** As people call it: a file, or what is attached to an image. */
  name: string;
  digest: string;
  format: string;
  /** Who it says wrote it. */
  author_text: string;
  /** The declared author whose signature verified; null: nobody's. */
  author_id: string | null;
  /** JSON of the image digests an attestation is about; null where it is not bound to any. */
  subjects: string | null;
  /** Newest moment it speaks of. */
  said_at: number;
  received_at: number;
  received_by: string;
  /** Where it is attached, when it is: the manifest that holds it. */
  repository_id: string | null;
  manifest_digest: string | null;
  withdrawn_at: number | null;
  /** JSON: what of it could not be used. */
  problems: string;
}

interface VexStatementsTable {
  document_id: string;
  position: number;
  status: string;
  justification: string | null;
  /** Epoch ms. */
  said_at: number;
  /** JSON. */
  vulnerabilities: string;
  /** JSON. */
  products: string;
}

/** Statements by the vulnerabilities they name, in upper case. */
interface VexVulnerabilitiesTable {
  vulnerability: string;
  document_id: string;
  position: number;
}

/** The images that documents are bound to. */
interface VexSubjectsTable {
  digest: string;
  document_id: string;
}

/** Exceptions that were asked for because of a statement that does not count: one for each author, vulnerability and product. */
interface VexRequestsTable {
  key: string;
  project_id: string;
  document_id: string;
  exception_id: string;
  created_at: number;
}
