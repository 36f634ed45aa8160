import type { ImageFacts, ImageVerdict } from '../../constraints/image-facts.ts';
import { type FactsMemory, toldAt } from '../../facts/memory.ts';
import { projectOf } from '../../model/project-name.ts';
import type { Reference } from '../../oci/reference.ts';
import type { Clock } from '../../platform/clock.ts';
import { ageText } from './age.ts';

export interface LinkedFactsDeps {
  readonly memory: FactsMemory;
  readonly clock: Clock;
  /** When the memory was known to be complete last, epoch ms; undefined: never. */
  asOf(): number | undefined;
  /** Verdicts of older memory are told as unknown, ms. */
  readonly maxAgeMs: number;
  /** Host of the server's address: its images are ours also before it has said so. */
  readonly serverHost: string;
}

/** Answers about images from what the registry told. A look-up costs a few looks into maps. */
export function createLinkedFacts(deps: LinkedFactsDeps): ImageFacts {
  const { memory, clock, maxAgeMs, serverHost } = deps;

  function verdictOf(reference: Reference): ImageVerdict | undefined {
    // However old that is: only the server can say that it is over.
    const quarantine = memory.quarantineOf(reference);
    if (quarantine) return quarantine;
    const asOf = deps.asOf();
    const answer = memory.about(reference);
    if (!answer) {
      if (memory.isFilled() || reference.registry !== serverHost) return undefined;
      return unknown(`the registry ${serverHost} has not told this guard its verdicts yet`);
    }
    const age = asOf === undefined ? Infinity : clock.now() - asOf;
    if (age > maxAgeMs) return unknown(`${agedVerdicts(reference, age)}, and count for ${ageText(maxAgeMs)}`);
    switch (answer.kind) {
      case 'known':
        return toldAt(memory, reference, answer, clock.now());
      case 'unjudged':
        return unknown(`the registry ${reference.registry} has not judged it yet (${asOfText(age)})`);
      case 'no-such-image':
        return unknown(`the registry ${reference.registry} has no such image (${asOfText(age)})`);
      case 'not-covered':
        return unknown(
          `this guard does not follow the project ${projectOf(reference.repository)} of ${reference.registry} (${asOfText(age)})`,
        );
    }
  }

  return {
    verdicts: { verdictOf },
    mirrors: { addressOf: (reference) => memory.copyOf(reference) },
    digests: memory,
  };
}

function agedVerdicts({ registry }: Reference, age: number): string {
  return age === Infinity
    ? `the verdicts of the registry ${registry} have an unknown age`
    : `the verdicts of the registry ${registry} are ${ageText(age)} old`;
}

function asOfText(age: number): string {
  return age === Infinity ? 'as of an unknown time' : `as of ${ageText(age)} ago`;
}

function unknown(sentence: string): ImageVerdict {
  return { kind: 'unknown', sentence };
}
