import type { PackageType } from '../model/inventory.ts';
import type { VerdictKind } from '../model/verdict.ts';
import type { Digest } from '../oci/digest.ts';
import type { ExceptionRule } from '../policy/exceptions.ts';
import type { Place } from './upgradable.ts';

/** A package to bring to another version, wherever it lies in the image. */
export interface UpgradePart {
  readonly kind: 'upgrade';
  /** What one upgrades: the source of the distribution's packages where there is one. */
  readonly package: string;
  readonly packageType: PackageType;
  readonly module?: string;
  readonly installed: string;
  /** The lowest version named as fixed by which nothing blocks any more. */
  readonly to: string;
  /** Names of the packages that come with it. */
  readonly packages: readonly string[];
  /** What blocks now because of it. */
  readonly vulnerabilities: readonly string[];
  readonly places: readonly Place[];
}

/** Another image below the layers of the application. */
export interface BasePart {
  readonly kind: 'base';
  /** As the registry stores them: `mirror/alpine:3.20`. */
  readonly from: string;
  readonly fromDigest: string;
  readonly to: string;
  readonly toDigest: string;
  /** Layers of this image that are those of the base; the others were put on top. */
  readonly layers: number;
  /** What blocks now and does not with it. */
  readonly vulnerabilities: readonly string[];
  /**
   * `layers`: the application's layers were put on the other base as they are. `packages`: they rewrite the package database,
   * so what they add was put beside the packages of the other base, as building anew does.
   */
  readonly judgedBy: 'layers' | 'packages';
}

/** A request to fill in a reason for, within what the policy lets it be: from a vulnerability, or for one digest from a rule. */
export interface ExceptionPart {
  readonly kind: 'exception';
  readonly vulnerability?: string;
  readonly rule?: ExceptionRule;
  /** With a rule. */
  readonly digest?: Digest;
  /** Absent: it is in several packages. */
  readonly package?: string;
  readonly repository: string;
  /** The last day. */
  readonly until: string;
  /** There is a version without it. */
  readonly fixed?: string;
}

export type Part = UpgradePart | BasePart | ExceptionPart;

/** A change by which the image is no longer blocked; each part is needed. */
export interface Plan {
  readonly parts: readonly Part[];
  /** What the verdict is then. */
  readonly after: Exclude<VerdictKind, 'block'>;
}

/** What unblocks an image, the smallest change first. */
export interface Advice {
  readonly plans: readonly Plan[];
  /** What blocks and no change of the image or exception takes away, or not by itself. */
  readonly obstacles: readonly string[];
}
