import fc from 'fast-check';
import { checkStory, simulatedStory } from '../../src/simulate/simulated-saved.testing.ts';
import type { Law } from './law.ts';

export const laws: readonly Law[] = [
  {
    number: 5,
    says: 'what is simulated is what comes of it when it is saved, manifest by manifest, up to the first moment of its calendar',
    // Each makes a registry of its own and compares the decisions on all that is in it.
    cases: 1250,
    comparisons: 8,
    property: () => fc.asyncProperty(simulatedStory, async (story) => void (await checkStory(story))),
  },
];
