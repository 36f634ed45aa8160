import fc from 'fast-check';
import { COMPARED, decisionStory } from '../../src/app/decision-story.testing.ts';
import { checkDecisions } from '../../src/app/one-decision.testing.ts';
import { openDatabase } from '../../src/db/database.ts';
import type { Law } from './law.ts';

export const laws: readonly Law[] = [
  {
    number: 3,
    says: 'gate, API, webhook, audit, and those of guards that follow or are cut off decide alike, and for the same reasons',
    // Each makes a registry of its own, in which things happen.
    cases: 300,
    comparisons: COMPARED,
    property: () =>
      fc.asyncProperty(decisionStory, async (story) => {
        const handle = await openDatabase({ engine: 'sqlite', path: ':memory:' });
        try {
          await checkDecisions(handle, story);
        } finally {
          await handle.close();
        }
      }),
  },
];
