import type { PackageType } from '../model/inventory.ts';

/** A granted, dated waiver as `judge` sees it. Valid in [from, until): at `until` it is over. */
export interface GrantedException {
  readonly id: string;
  /** Any id of the alias closure. */
  readonly vulnerability: string;
  readonly package?: { readonly name: string; readonly type?: PackageType };
  /** Exact installed version the waiver is limited to. */
  readonly version?: string;
  /** Repository glob within the project: `*` inside a segment, `**` across. Absent = the whole project. */
  readonly repository?: string;
  /** Manifest digest the waiver is limited to. */
  readonly digest?: string;
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
}
