import type { PackageType } from '../model/inventory.ts';

/**
 * What an exception says: the risk is known and carried for a time; there is none, because the code cannot be reached; or it is
 * carried until there is a fix, and for some days more.
 */
export const EXCEPTION_KINDS = ['accepted-risk', 'not-affected', 'until-fixed'] as const;
export type ExceptionKind = (typeof EXCEPTION_KINDS)[number];

/** Rules about an image as a whole that may be excepted, for one digest at a time. */
export const EXCEPTION_RULES = ['end-of-life', 'unscannable'] as const;
export type ExceptionRule = (typeof EXCEPTION_RULES)[number];

/** Why something is not affected, in the words of VEX. */
export const JUSTIFICATIONS = [
  'component_not_present',
  'vulnerable_code_not_present',
  'vulnerable_code_not_in_execute_path',
  'vulnerable_code_cannot_be_controlled_by_adversary',
  'inline_mitigations_already_exist',
] as const;
export type Justification = (typeof JUSTIFICATIONS)[number];

/** What an exception is about, and how it is narrowed. What is absent does not limit it. */
export interface ExceptionScope {
  /** Any id of the alias closure. Either this or `rule` is there. */
  readonly vulnerability?: string;
  /** Takes a digest. */
  readonly rule?: ExceptionRule;
  /** By its own or its source's name. */
  readonly package?: { readonly name: string; readonly type?: PackageType };
  /** Exact installed version. */
  readonly version?: string;
  /** Range of installed versions, as `parseVersionRange` reads it; needs the package with its type. */
  readonly versions?: string;
  /** Glob of repositories: `*` inside a segment, `**` across. Below the project; of full names where it counts everywhere. */
  readonly repository?: string;
  /** Manifest digest. */
  readonly digest?: string;
  /** `linux/arm64` also means its variants. */
  readonly platform?: string;
  /** In all projects. */
  readonly everywhere?: true;
}

/** A granted, dated waiver as `judge` sees it. Valid in [from, until): at `until` it is over. */
export interface GrantedException extends ExceptionScope {
  readonly id: string;
  /** It is over this many days after a fix was first known, if that is before `until`. */
  readonly fixDays?: number;
  /** Epoch ms. */
  readonly from: number;
  readonly until: number;
}
