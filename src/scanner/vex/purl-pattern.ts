/** A package URL taken apart (ECMA-427), decoded. As a pattern: what is absent may be anything. */
export interface PurlPattern {
  readonly type: string;
  /** Namespace and name. */
  readonly path: string;
  readonly version?: string;
  readonly qualifiers: ReadonlyMap<string, string>;
}
