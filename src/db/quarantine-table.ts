/** What may not run anywhere: contents by digest, and packages in whatever image holds them. */
export interface QuarantinesTable {
  id: string;
  /** As people read it: the digest, or the package URL and the range of its versions. */
  target: string;
  /** Of a manifest or a blob; null where it is about a package. */
  digest: string | null;
  purl: string | null;
  /** Range of versions; null where the URL says which. */
  versions: string | null;
  reason: string;
  ticket: string;
  /** `active`, `release-asked` (still in force) or `released`. */
  state: string;
  added_by: string;
  added_at: number;
  release_asked_by: string | null;
  /** The person behind `release_asked_by`. */
  release_asked_person: string | null;
  release_asked_at: number | null;
  release_reason: string | null;
  released_by: string | null;
  released_at: number | null;
  release_confirmed: string | null;
  /** When all verdicts that a change touches were marked; null until then. */
  applied_at: number | null;
}
