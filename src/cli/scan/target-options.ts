import type { SourceAccess } from '../registry-end.ts';

/** Word for what is attached to the image, in place of a file of VEX statements. */
export const REFERRERS = 'referrers';

/** How to reach and choose what is scanned. */
export interface TargetOptions extends SourceAccess {
  readonly platform?: string;
  /** Name or digest of the image to take from an archive or layout that holds several. */
  readonly image?: string;
  /** Files, and `referrers` for what is attached to the image in its registry. */
  readonly vex?: readonly string[];
}
