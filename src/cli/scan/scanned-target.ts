import type { AnalysedTarget } from '../../scanner/analyse-image.ts';
import type { SbomSubject } from '../../scanner/sbom-write/index.ts';
import type { VexStatement } from '../../scanner/vex/index.ts';

/** What was looked into: its name in messages and, for images of a registry, the repository. */
export interface ScannedTarget extends AnalysedTarget {
  readonly repository: string;
  readonly subject: SbomSubject;
  /** VEX statements attached to the image, where they were asked for. */
  readonly attached?: readonly VexStatement[];
}
