import type { Row } from '../db/schema.ts';
import type { Digest } from '../oci/digest.ts';
import type { VexFormat } from '../scanner/vex/read-document.ts';

/** A document that was taken in. */
export interface KeptDocument {
  readonly id: string;
  /** Absent: it holds in every project. */
  readonly projectId?: string;
  readonly name: string;
  readonly digest: Digest;
  readonly format: VexFormat;
  /** Who it says wrote it. */
  readonly authorText: string;
  /** Id of the declared author whose signature verified; absent: it counts for nothing. */
  readonly authorId?: string;
  /** Images it is bound to; absent: its products alone say what it is about. */
  readonly subjects?: readonly Digest[];
  readonly saidAt: number;
  readonly receivedAt: number;
  readonly receivedBy: string;
  readonly withdrawnAt?: number;
  readonly problems: readonly string[];
}

export function toDocument(row: Row<'vex_documents'>): KeptDocument {
  return {
    id: row.id,
    ...(row.project_id === '' ? {} : { projectId: row.project_id }),
    name: row.name,
    digest: row.digest as Digest,
    format: row.format as VexFormat,
    authorText: row.author_text,
    ...(row.author_id === null ? {} : { authorId: row.author_id }),
    ...(row.subjects === null ? {} : { subjects: JSON.parse(row.subjects) as Digest[] }),
    saidAt: row.said_at,
    receivedAt: row.received_at,
    receivedBy: row.received_by,
    ...(row.withdrawn_at === null ? {} : { withdrawnAt: row.withdrawn_at }),
    problems: JSON.parse(row.problems) as string[],
  };
}
