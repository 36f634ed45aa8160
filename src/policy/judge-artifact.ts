import type { Verdict } from '../model/verdict.ts';
import { canonicalHash } from '../oci/canonical.ts';
import type { Digest } from '../oci/digest.ts';
import { countFindings } from './counts.ts';

/** The verdict on a manifest that nothing runs (signature, SBOM, attestation, chart): allowed, and said to be that. */
export function judgeArtifact(input: {
  readonly subject: Digest;
  /** As the referrers list shows it. */
  readonly artifactType?: string;
  readonly policyVersion: number;
  /** Version of the advisory database in use; empty when there is none. */
  readonly advisories: string;
  /** Epoch ms. */
  readonly now: number;
}): Verdict {
  const what = input.artifactType === undefined ? 'an artifact' : `an artifact of type ${input.artifactType}`;
  const none = canonicalHash([]);
  return {
    kind: 'allow',
    subject: input.subject,
    reasons: [
      {
        rule: 'not-runnable',
        kind: 'allow',
        severity: 'none',
        message: `${what}, not an image that runs: it was not scanned`,
        source: 'manifest',
      },
    ],
    counts: countFindings([]),
    inputs: {
      inventory: '',
      advisories: input.advisories,
      policy: input.policyVersion,
      exceptions: none,
      vex: none,
      clocks: none,
    },
    judgedAt: input.now,
  };
}
