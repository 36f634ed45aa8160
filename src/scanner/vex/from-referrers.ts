import type { Digest } from '../../oci/digest.ts';
import { messageOf } from '../../platform/errors.ts';
import { parseVex } from './parse.ts';
import type { VexReading, VexStatement } from './types.ts';

/** What is attached to an image, as a registry lists and gives it out. */
export interface Referrers {
  /** What refers to a manifest (distribution-spec, "Listing Referrers"). */
  list(subject: Digest): Promise<readonly { readonly digest: Digest }[]>;
  /** The type an artifact claims, and the descriptors of its layers; none when it is gone or something else. */
  layers(artifact: Digest): Promise<{ readonly artifactType?: string; readonly layers: readonly Layer[] }>;
  /** The bytes of a blob, at most so many; rejects for more. */
  blob(digest: Digest, limit: number): Promise<Uint8Array>;
}

interface Layer {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly size: number;
}

/** Bytes of one attached document, and documents of one image. */
const LARGEST = 16 * 1024 * 1024;
const MOST = 64;
/** Media types of documents and attestations that can hold VEX; predicates are told by `parseVex`. */
const CAN_HOLD_VEX = /openvex|vex\+json|csaf|cyclonedx|in-toto|dsse|sigstore\.bundle/i;

/**
 * The VEX statements attached to an image. They are the word of whoever could push them, and marked so (`unverified`):
 * nobody checked a signature. Artifacts of other kinds are passed over; what cannot be read is a problem.
 */
export async function vexFromReferrers(referrers: Referrers, subject: Digest): Promise<VexReading> {
  const statements: VexStatement[] = [];
  const problems: string[] = [];
  const listed = await referrers.list(subject);
  if (listed.length > MOST)
    problems.push(`only the first ${MOST} of ${listed.length} things attached to ${subject} are read`);
  for (const { digest } of listed.slice(0, MOST)) {
    try {
      const { artifactType, layers } = await referrers.layers(digest);
      for (const layer of layers.slice(0, MOST)) {
        if (!CAN_HOLD_VEX.test(`${artifactType ?? ''} ${layer.mediaType}`)) continue;
        if (layer.size > LARGEST) {
          problems.push(`${digest} is larger than ${LARGEST} bytes`);
          continue;
        }
        const reading = parseVex(await referrers.blob(layer.digest, LARGEST), digest);
        statements.push(...reading.statements.map((statement) => ({ ...statement, unverified: true }) as const));
        // An attestation or a bill of materials without VEX is no fault.
        if (/vex|csaf/i.test(`${artifactType ?? ''} ${layer.mediaType}`)) problems.push(...reading.problems);
      }
    } catch (error) {
      problems.push(`${digest} could not be read: ${messageOf(error)}`);
    }
  }
  return { statements, problems };
}
