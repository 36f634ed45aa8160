import type { ImageFactsSource, ImageVerdict } from '../constraints/image-facts.ts';
import type { Db } from '../db/database.ts';
import { findMirroredCopy } from '../mirror/mirrored-address.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import type { Verdicts } from '../verdicts/verdicts.ts';

interface Deps {
  readonly db: Db;
  readonly verdicts: Pick<Verdicts, 'verdictByReference'>;
  /** Host and port clients use for this registry. */
  readonly host: string;
}

/** What webhook and audit learn about images: our own verdicts, and copies of foreign images in mirror projects. */
export function createImageFacts(deps: Deps): ImageFactsSource {
  return {
    async factsAbout(references) {
      const verdicts = new Map<string, ImageVerdict>();
      const copies = new Map<string, string>();
      const digests = new Map<string, Digest>();
      await Promise.all(
        references.map(async (reference) => {
          const judged = await deps.verdicts.verdictByReference(reference);
          if (judged) {
            verdicts.set(keyOf(reference), { kind: judged.verdict.kind, sentence: judged.sentence });
            digests.set(keyOf(reference), judged.verdict.subject);
          }
          const copy = judged ? undefined : await findMirroredCopy(deps.db, reference);
          if (copy) copies.set(keyOf(reference), `${deps.host}/${copy}`);
        }),
      );
      return {
        verdicts: { verdictOf: (reference) => verdicts.get(keyOf(reference)) },
        mirrors: { addressOf: (reference) => copies.get(keyOf(reference)) },
        digests: { digestOf: (reference) => reference.digest ?? digests.get(keyOf(reference)) },
      };
    },
  };
}

function keyOf({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}:${tag ?? ''}@${digest ?? ''}`;
}
